use dotdo_names::Environment;

use super::label::last_label;

/// The environment that a host's labels name: a label, or a part of one between `--`, that is an environment's host
/// label. The last label is none: `.dev` is a top-level domain. `Err` gives a text that names another one than
/// `environment`.
///
/// `text` is a host, or the host of a pattern, whose captures in braces name nothing.
pub(super) fn names_only(text: &str, environment: Option<Environment>) -> Result<(), &str> {
    let (_, mut rest) = last_label(text);
    while let Some(labels) = rest {
        let (label, others) = last_label(labels);
        label_names_only(label, environment)?;
        rest = others;
    }
    Ok(())
}

fn label_names_only(label: &str, environment: Option<Environment>) -> Result<(), &str> {
    let mut rest = label;
    loop {
        let hyphens = rest.as_bytes().windows(2).position(|pair| pair == b"--");
        let (part, behind) = rest
            .split_at_checked(hyphens.unwrap_or(rest.len()))
            .unwrap_or((rest, ""));
        let part = without_hyphens(part);
        let named = Environment::from_host_label(part);
        if named.is_some() && named != environment {
            return Err(part);
        }
        match behind.get(2..) {
            Some(behind) => rest = behind,
            None => return Ok(()),
        }
    }
}

fn without_hyphens(mut text: &str) -> &str {
    while let Some(rest) = text.strip_prefix('-').or_else(|| text.strip_suffix('-')) {
        text = rest;
    }
    text
}
