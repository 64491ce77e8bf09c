//! Any text as `ROUTES`: a URL in the first line, and the rules after it.

use dispatcher::routing::{Localhost, Origin, Router, RulesError, RulesProblem};

use super::decision;

/// Texts in the place of captures: ordinary ones, environments, and texts that resemble them.
const CAPTURED: [&str; 6] = ["x", "staging", "dev", "a-b", "a--staging", "com"];

/// Checks the properties of any rules.
pub fn check(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let (url, json) = text.split_once('\n').unwrap_or(("https://agents.do/", text));
    for localhost in [Localhost::Unserved, Localhost::MirrorsDo] {
        match Router::with_routes(json, localhost) {
            Ok(router) => check_router(&router, url),
            Err(error) => check_error(&error),
        }
    }
}

fn check_router(router: &Router, url: &str) {
    let _ = decision::check(router, url);
    for (number, rule) in router.rules().iter().enumerate() {
        for captured in CAPTURED {
            let url = example(rule.pattern(), captured);
            let winner = match decision::check(router, &url) {
                Ok(route) => Some(route.rule()),
                Err(refusal) => refusal.rule(),
            };
            // A rule matches its own examples (unless one is too long for a host), so no later rule may decide them.
            // The text that `{env}` matches depends on the text around it, so rules with `{env}` are skipped.
            if !rule.pattern().contains("{env}")
                && let Some(winner) = winner
            {
                let winner = router
                    .rules()
                    .iter()
                    .position(|other| std::ptr::eq(other, winner));
                assert!(winner.is_some_and(|winner| winner <= number), "{rule}: {url}");
            }
        }
    }
}

/// A URL that the pattern matches if each of its captures matches `captured`.
fn example(pattern: &str, captured: &str) -> String {
    let mut url = String::from("https://");
    let mut rest = pattern.strip_suffix('*').unwrap_or(pattern);
    while let Some((before, behind)) = rest.split_once('{') {
        url.push_str(before);
        url.push_str(captured);
        rest = behind.split_once('}').map_or("", |(_, behind)| behind);
    }
    url.push_str(rest);
    url
}

fn check_error(error: &RulesError) {
    let text = error.to_string();
    let mut problems = 0;
    for problem in error.problems() {
        problems += 1;
        let sentence = problem.to_string();
        assert!(text.contains(&sentence), "{text}");
        match problem {
            RulesProblem::NotJson(_) | RulesProblem::NotAnArray { .. } => {
                assert!(sentence.starts_with("ROUTES is not a JSON array"), "{sentence}");
            }
            RulesProblem::Invalid { rule, .. } => {
                assert!(
                    rule.starts_with("ROUTES[") && sentence.starts_with(&**rule),
                    "{sentence}"
                );
            }
            RulesProblem::Unreachable { rule, shadowing } => {
                assert!(
                    rule.starts_with("ROUTES[") && shadowing.starts_with("ROUTES["),
                    "{sentence}"
                );
                assert!(
                    sentence.contains(&**rule) && sentence.contains(&**shadowing),
                    "{sentence}"
                );
                assert_ne!(rule, shadowing);
            }
        }
        assert!(!sentence.contains(&Origin::BuiltIn.to_string()), "{sentence}");
    }
    assert!(problems > 0, "{text}");
}
