//! `.env.example`: whether the variables for deployment scripts repeat `dotdo.jsonc` correctly.

use dotdo_names::DEPLOY_API_WORKER;
use wrangler_config::{ENV_FILE, Place, variable_in};

use super::settings_of;

/// The problems of the file's text, each with its line from 1.
pub fn check(text: &str) -> Vec<(usize, String)> {
    let mut problems = Vec::new();
    for setting in settings_of(ENV_FILE) {
        let (Some(name), Some(expected)) = (setting.variable(), &setting.value) else {
            continue;
        };
        match variable_in(text, name) {
            None if matches!(setting.place, Place::Address(_)) => {}
            None => problems.push((1, format!("{name} is missing: add {name}={expected}"))),
            Some((_, found)) if setting.accepts(found) => {}
            Some((index, _)) if matches!(setting.place, Place::Address(_)) => {
                problems.push((
                    index + 1,
                    format!("the host must start with the script name of the deploy API in dotdo.jsonc: write https://{DEPLOY_API_WORKER}.…"),
                ));
            }
            Some((index, _)) => {
                problems.push((
                    index + 1,
                    format!("{name} differs from dotdo.jsonc: write {name}={expected}"),
                ));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The variables whose value is exactly one text.
    fn expected() -> Vec<(String, String)> {
        settings_of(ENV_FILE)
            .filter(|setting| !matches!(setting.place, Place::Address(_)))
            .map(|setting| (setting.variable().unwrap().to_owned(), setting.value.unwrap()))
            .collect()
    }

    fn repository_file() -> String {
        std::fs::read_to_string(crate::workspace::path(ENV_FILE)).unwrap()
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
