//! `.env.example`: whether the variables for deployment scripts repeat `dotdo.jsonc` correctly.

use dotdo_names::{ACCOUNT_ID, DEPLOY_API_WORKER, Environment};

/// The file, from the repository's root.
pub const FILE: &str = ".env.example";

/// The problems of the file's text, each with its line from 1.
pub fn check(text: &str) -> Vec<(usize, String)> {
    let mut problems = Vec::new();
    for (name, expected) in expected() {
        let line = format!("{name}={expected}");
        match find(text, &name) {
            None => problems.push((1, format!("{name} is missing: add {line}"))),
            Some((number, found)) if found != expected => {
                problems.push((number, format!("{name} differs from dotdo.jsonc: write {line}")));
            }
            Some(_) => {}
        }
    }
    if let Some((number, url)) = find(text, "CLOUDFLARE_API_BASE_URL")
        && url.contains(".workers.dev")
        && !url.starts_with(&format!("https://{DEPLOY_API_WORKER}."))
    {
        problems.push((
            number,
            format!("the host must start with the script name of the deploy API in dotdo.jsonc: write https://{DEPLOY_API_WORKER}.…"),
        ));
    }
    problems
}

fn expected() -> Vec<(String, &'static str)> {
    let namespaces = Environment::ALL.into_iter().flat_map(|environment| {
        let name = environment.name().to_ascii_uppercase();
        [
            (format!("DISPATCH_NAMESPACE_{name}"), environment.namespace()),
            (
                format!("DISPATCH_NAMESPACE_ID_{name}"),
                environment.namespace_id(),
            ),
        ]
    });
    std::iter::once(("CLOUDFLARE_ACCOUNT_ID".to_owned(), ACCOUNT_ID))
        .chain(namespaces)
        .collect()
}

fn find<'t>(text: &'t str, name: &str) -> Option<(usize, &'t str)> {
    text.lines().enumerate().find_map(|(index, line)| {
        let (found, value) = line.split_once('=')?;
        (found.trim() == name).then_some((index + 1, value.trim()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository_file() -> String {
        std::fs::read_to_string(crate::workspace::path(FILE)).unwrap()
    }

    #[test]
    fn accepts_the_file_of_the_repository() {
        assert_eq!(check(&repository_file()), []);
    }

    #[test]
    fn names_each_line_that_differs() {
        for (name, value) in expected() {
            let text = repository_file().replace(&format!("\n{name}={value}\n"), &format!("\n{name}=x\n"));
            let found = check(&text);
            assert_eq!(found.len(), 1, "{found:?}");
            let (line, message) = &found[0];
            assert_eq!(text.lines().nth(line - 1), Some(format!("{name}=x").as_str()));
            assert!(message.contains(&format!("write {name}={value}")), "{message}");
        }
        let found = check("");
        assert_eq!(found.len(), expected().len(), "{found:?}");
        let text = repository_file().replace(&format!("https://{DEPLOY_API_WORKER}."), "https://other.");
        assert!(check(&text)[0].1.contains(DEPLOY_API_WORKER));
    }
}
