//! `ROUTES`: what loads, and what each mistake is told.

use dispatcher::routing::{Localhost, Router};
use serde_json::json;

use crate::outcome::load_error;

fn error_of_text(routes: &str) -> String {
    Router::with_routes(routes, Localhost::Unserved)
        .map(|_| ())
        .expect_err(routes)
        .to_string()
}

#[test]
fn an_empty_list_is_the_built_in_rules() {
    let router = Router::with_routes("[]", Localhost::Unserved).unwrap();
    assert_eq!(
        router.rules().len(),
        Router::builtin(Localhost::Unserved).rules().len()
    );
}

#[test]
fn what_is_no_array_of_rules_is_told() {
    for text in ["", "{}", "null", "\"x\"", "[", "[{}", "[}", "[] x", "[1,]"] {
        let error = error_of_text(text);
        assert!(
            error.starts_with("ROUTES is not a JSON array of rules: "),
            "{text}: {error}"
        );
    }
    for (text, expected) in [
        ("[1]", "ROUTES[0]: it is no rule"),
        ("[null]", "ROUTES[0]: it is no rule"),
        ("[{}]", "the key \"pattern\" is missing"),
        (
            r#"[{"pattern": "a.example"}]"#,
            "ROUTES[0] `a.example`: it is no rule: the key \"worker\" is missing",
        ),
        (r#"[{"worker": "a"}]"#, "the key \"pattern\" is missing"),
        (r#"[{"pattern": 1, "worker": "a"}]"#, " is not a"),
        (
            r#"[{"pattern": "a.example", "worker": "a", "env": "staging"}]"#,
            "there is no key \"env\"",
        ),
        (
            r#"[{"pattern": "a.example", "worker": "a", "worker": "b"}]"#,
            "the key \"worker\" stands twice",
        ),
        (
            r#"[{"pattern": "a.example", "worker": "a", "strip_prefix": "yes"}]"#,
            "\"strip_prefix\" is not true or false",
        ),
        (
            r#"[{"pattern": "a.example", "worker": "a"}, {"pattern": "b.example", "worker": "B"}]"#,
            "ROUTES[1] `b.example`: ",
        ),
    ] {
        let error = error_of_text(text);
        assert!(error.contains(expected), "{text}: {error}");
    }
}

/// A pattern whose captures a fixed Worker cannot use, and what is said of it.
#[test]
fn each_mistake_in_a_pattern_is_told_with_what_to_write() {
    let long_label = format!("{}{{a}}.example.com", "x".repeat(63));
    let long_host = format!("{}com", format!("{}.", "x".repeat(62)).repeat(4));
    let long_pattern = "x".repeat(513);
    for (pattern, expected) in [
        ("", "the pattern is empty"),
        (&*long_pattern, "more than 512 characters"),
        ("https://a.example.com", "a pattern has no scheme"),
        ("a.example.com:8080", "a pattern has no port"),
        ("a.example.com.", "leave out the dot at the end"),
        ("a..example.com", "the host has an empty label"),
        (".example.com", "the host has an empty label"),
        ("/path", "the host has an empty label"),
        (&*long_label, "a label of the host has at least 64 characters"),
        (&*long_host, "more than 253 characters"),
        ("10.0.0.1", "the host is an IP address"),
        ("example.0x1", "the host is an IP address"),
        ("agents.{tld}", "the host's last label is a capture"),
        ("{worker}", "the host's last label is a capture"),
        ("agents.{a}x", "the host's last label is a capture"),
        ("Example.com", "write `example`"),
        ("m\u{fc}ller.example", "write the label that begins with `xn--`"),
        ("a.example.com/gr\u{f6}\u{df}e", "write it as `%…`"),
        (
            "*.example.com",
            "`*` stands only at the end of a path: for any label write a capture",
        ),
        ("a*.example.com", "for any label write a capture"),
        (
            "a.example.com/*/x",
            "`*` stands only at the end of a path, as `/*`",
        ),
        (
            "a.example.com/x*",
            "`*` stands only at the end of a path, as `/*`",
        ),
        (
            "a.example.com/**",
            "`*` stands only at the end of a path, as `/*`",
        ),
        ("a.example.com/x//y", "the path has an empty segment"),
        ("a.example.com//", "the path has an empty segment"),
        ("a.example.com//*", "the path has an empty segment"),
        ("a.example.com/./x", "`.` and `..` are resolved before"),
        ("a.example.com/x/..", "`.` and `..` are resolved before"),
        ("a.example.com/x/%2E%2e/*", "`.` and `..` are resolved before"),
        ("a.example.com/x?y", "a pattern ends before `?`"),
        ("a.example.com/x#y", "a pattern ends before `#`"),
        (
            "a b.example.com",
            "the character ` ` cannot match: a host has only",
        ),
        ("a@b.example.com", "the character `@` cannot match"),
        (
            "a.example.com/x y",
            "the character ` ` cannot match: a path has only",
        ),
        ("a.example.com/x\\y", "the character `\\\\` cannot match"),
        ("a.example.com/\0", "the character `\\u{0}` cannot match"),
        ("{a.example.com", "has a `{` without a `}`"),
        ("a}.example.com", "has a `}` without a `{`"),
        ("a.example.com/{x", "has a `{` without a `}`"),
        ("{}.example.com", "`{}` is no capture"),
        ("{Worker}.example.com", "`{Worker}` is no capture"),
        ("{1a}.example.com", "`{1a}` is no capture"),
        ("{a-b}.example.com", "`{a-b}` is no capture"),
        ("{{a}}.example.com", "`{{a}` is no capture"),
        ("{a}.{a}.example.com", "`{a}` stands twice"),
        ("{a}.example.com/{a}", "`{a}` stands twice"),
        ("{a}{b}.example.com", "two captures touch in `{a}{b}`"),
        (
            "{a}.{b}.{c}.{d}.{e}.{f}.{g}.{h}.{i}.example.com",
            "more than 8 captures",
        ),
        ("{a}.example.com", "no target uses the capture `{a}`"),
        ("{env}.example.com", "write \"environment\": \"{env}\""),
    ] {
        let error = load_error(&json!([{"pattern": pattern, "worker": "a"}]));
        assert!(error.starts_with("ROUTES[0] `"), "{error}");
        assert!(error.contains(expected), "{pattern}: {error}");
    }
    let name = "a".repeat(33);
    let error = load_error(&json!([{"pattern": format!("{{{name}}}.example.com"), "worker": "a"}]));
    assert!(error.contains("at most 32 characters"), "{error}");
}

#[test]
fn each_mistake_in_a_target_is_told_with_what_to_write() {
    let rule = |more: serde_json::Value| {
        let mut rule = json!({"pattern": "{a}.example.com/x/*", "worker": "{a}"});
        rule.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!([rule])
    };
    for (more, expected) in [
        (json!({"worker": "shop"}), "no target uses the capture"),
        (
            json!({"pattern": "b.example.com", "worker": ""}),
            "could never be reached: a Worker's name is not empty",
        ),
        (
            json!({"pattern": "b.example.com", "worker": "staging"}),
            "The Worker `staging`",
        ),
        (
            json!({"pattern": "b.example.com", "worker": "com"}),
            "the .do registry",
        ),
        (
            json!({"pattern": "b.example.com", "worker": "B"}),
            "only a-z, 0-9 and '-'",
        ),
        (
            json!({"worker": "{b}"}),
            "the target uses `{b}`, which the pattern does not capture",
        ),
        (json!({"worker": "{a"}), "has a `{` without a `}`"),
        (json!({"worker": "a}"}), "has a `}` without a `{`"),
        (json!({"worker": "{a}-"}), "neither begins nor ends with '-'"),
        (json!({"worker": "{a}--x"}), "no '--'"),
        (json!({"worker": "{a}_x"}), "only a-z, 0-9 and '-'"),
        (
            json!({"worker": format!("{{a}}{}", "x".repeat(63))}),
            "at most 63 characters",
        ),
        (
            json!({"pattern": "{a}.{env}.example.com", "worker": "{a}-{env}"}),
            "is no part of a Worker's name",
        ),
        (json!({"environment": "qa"}), "`qa` is no environment"),
        (json!({"environment": "dev"}), "`dev` is no environment"),
        (
            json!({"environment": "{env}"}),
            "the target uses `{env}`, which the pattern does not capture",
        ),
        (json!({"environment": "{a}"}), "`{a}` is no environment"),
        (
            json!({"pattern": "{a}.staging.example.com"}),
            "the host names `staging`, so the rule must have that environment, not production",
        ),
        (
            json!({"pattern": "{a}--dev.example.com", "environment": "staging"}),
            "the host names `dev`, so the rule must have that environment, not staging",
        ),
        (
            json!({"pattern": "{a}.staging.{env}.example.com", "environment": "{env}"}),
            "the host names `staging`, so the rule must have that environment, not `{env}`",
        ),
        (
            json!({"pattern": "{a}.example.com/x", "strip_prefix": true}),
            "\"strip_prefix\" needs a path that ends in `/*`",
        ),
        (
            json!({"pattern": "{a}.example.com/*", "strip_prefix": true}),
            "with at least one segment",
        ),
        (
            json!({"pattern": "{a}.example.com", "strip_prefix": true}),
            "\"strip_prefix\" needs a path",
        ),
    ] {
        let error = load_error(&rule(more.clone()));
        assert!(
            error.to_lowercase().contains(&expected.to_lowercase()),
            "{more}: {error}"
        );
    }
}

#[test]
fn a_mistake_is_told_before_a_conflict() {
    let error = load_error(&json!([
        {"pattern": "a.example.com", "worker": "a"},
        {"pattern": "a.example.com", "worker": "a"},
        {"pattern": "*.example.com", "worker": "a"},
    ]));
    assert!(error.starts_with("ROUTES[2]"), "{error}");
}
