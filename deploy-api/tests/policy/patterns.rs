//! Patterns for Worker names and refs, with property tests.

use deploy_api::policy::{RefPattern, WorkerPattern};
use dotdo_names::WorkerName;
use proptest::prelude::*;

fn pattern(text: &str) -> WorkerPattern {
    WorkerPattern::parse(text).unwrap()
}

fn matches(pattern_text: &str, worker: &str) -> bool {
    pattern(pattern_text).matches(&WorkerName::parse(worker).unwrap())
}

#[test]
fn a_pattern_matches_the_whole_name() {
    for (pattern, worker, expected) in [
        ("agents", "agents", true),
        ("agents", "agents2", false),
        ("agents", "my-agents", false),
        ("agents-*", "agents-1", true),
        ("agents-*", "agents-a-b", true),
        ("agents-*", "agents", false),
        ("agents-*", "agentsx", false),
        ("agents-*", "my-agents-1", false),
        ("*", "anything", true),
    ] {
        assert_eq!(matches(pattern, worker), expected, "{pattern} {worker}");
    }
}

#[test]
fn invalid_patterns_are_rejected() {
    for text in [
        "", "**", "a*", "a-**", "*-a", "a-*-b", "-*", "a--*", "A-*", "a_b", "ü", "a.b", "a/*", "dev", "com",
        "a-",
    ] {
        assert!(WorkerPattern::parse(text).is_err(), "{text}");
    }
    let longest = format!("{}-*", "a".repeat(61));
    assert!(WorkerPattern::parse(&longest).is_ok());
    assert!(WorkerPattern::parse(&format!("a{longest}")).is_err());
}

#[test]
fn a_ref_pattern_is_a_full_ref_or_a_prefix() {
    let matches = |pattern: &str, git_ref: &str| RefPattern::parse(pattern).unwrap().matches(git_ref);
    assert!(matches("refs/heads/main", "refs/heads/main"));
    assert!(!matches("refs/heads/main", "refs/heads/main2"));
    assert!(!matches("refs/heads/main", "refs/heads/Main"));
    assert!(matches("refs/tags/v*", "refs/tags/v1.2"));
    assert!(!matches("refs/tags/v*", "refs/tags/v"));
    assert!(!matches("refs/tags/v*", "refs/heads/v1"));
    assert!(matches("refs/heads/release/*", "refs/heads/release/1/2"));
    assert!(!matches("refs/heads/release/*", "refs/heads/releases"));
}

fn worker() -> impl Strategy<Value = WorkerName> {
    "[ab]{1,2}(-[ab]{1,2}){0,2}".prop_map(|text| WorkerName::parse(&text).unwrap())
}

fn worker_pattern() -> impl Strategy<Value = WorkerPattern> {
    prop_oneof![
        Just("*".to_owned()),
        "[ab]{1,2}(-[ab]{1,2}){0,2}",
        "[ab]{1,2}(-[ab]{1,2}){0,1}-\\*",
    ]
    .prop_map(|text| pattern(&text))
}

fn git_ref() -> impl Strategy<Value = String> {
    "refs/(heads|tags)/[ab]{1,3}"
}

fn ref_pattern() -> impl Strategy<Value = RefPattern> {
    prop_oneof![git_ref(), "refs/(heads|tags)/[ab]{0,2}\\*"]
        .prop_map(|text| RefPattern::parse(&text).unwrap())
}

proptest! {
    #[test]
    fn parsing_a_formatted_pattern_returns_the_same_pattern(pattern in worker_pattern(), other in ref_pattern()) {
        prop_assert_eq!(WorkerPattern::parse(&pattern.to_string()), Ok(pattern));
        prop_assert_eq!(RefPattern::parse(&other.to_string()), Ok(other));
    }

    #[test]
    fn a_wider_pattern_matches_every_name_that_a_narrower_one_matches(
        wide in worker_pattern(), narrow in worker_pattern(), name in worker()
    ) {
        prop_assert!(wide.covers(&wide));
        if wide.covers(&narrow) && narrow.matches(&name) {
            prop_assert!(wide.matches(&name), "{} covers {} but not {}", wide, narrow, name);
        }
    }

    #[test]
    fn a_wider_ref_pattern_matches_every_ref_that_a_narrower_one_matches(
        wide in ref_pattern(), narrow in ref_pattern(), git_ref in git_ref()
    ) {
        prop_assert!(wide.covers(&wide));
        if wide.covers(&narrow) && narrow.matches(&git_ref) {
            prop_assert!(wide.matches(&git_ref), "{} covers {} but not {}", wide, narrow, git_ref);
        }
    }

    #[test]
    fn a_name_without_a_star_matches_only_itself(name in worker(), other in worker()) {
        prop_assert_eq!(pattern(name.as_str()).matches(&other), name == other);
    }

    #[test]
    fn a_valid_pattern_has_only_the_characters_of_a_worker_name_and_a_star(text in ".{0,12}") {
        if let Ok(pattern) = WorkerPattern::parse(&text) {
            prop_assert!(text == "*" || text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-*".contains(&b)));
            prop_assert_eq!(pattern.to_string(), text);
        }
    }
}
