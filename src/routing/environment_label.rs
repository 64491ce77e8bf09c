use dotdo_names::Environment;

/// The environment that a host's labels name: a label, or a part of one between `--`, that is an environment's host
/// label. The last label is none: `.dev` is a top-level domain. `Err` gives the first text that names another one than
/// `environment`.
///
/// `text` is a host, or the host of a pattern, whose captures in braces name nothing.
pub(super) fn names_only(text: &str, environment: Option<Environment>) -> Result<(), &str> {
    let Some((labels, _)) = text.rsplit_once('.') else {
        return Ok(());
    };
    for part in labels.split('.').flat_map(|label| label.split("--")) {
        let part = part.trim_matches('-');
        let named = Environment::from_host_label(part);
        if named.is_some() && named != environment {
            return Err(part);
        }
    }
    Ok(())
}
