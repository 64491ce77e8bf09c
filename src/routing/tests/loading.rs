//! `ROUTES`: which rules load, and the error of each mistake.

use dispatcher::routing::{Localhost, Router};
use dotdo_names::Environment;
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
fn text_that_is_not_a_json_array_is_reported_with_line_and_column() {
    for (text, expected) in [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("[\n  {}\n  {}\n]", "expected `,` or `]` at line 3 column 3"),
        ("[{}", "EOF while parsing a list at line 1 column 3"),
        ("[}", "expected value at line 1 column 2"),
        ("[] x", "trailing characters at line 1 column 4"),
        ("[1,]", "expected value at line 1 column 4"),
        ("{}", "expected an array, found an object"),
        ("null", "expected an array, found null"),
        ("\"x\"", "expected an array, found \"x\""),
    ] {
        assert_eq!(
            error_of_text(text),
            format!("ROUTES is not a JSON array of rules: {expected}"),
            "{text}"
        );
    }
}

#[test]
fn a_wrong_member_is_reported_with_its_rule_and_its_path() {
    for (rule, expected) in [
        ("1", "ROUTES[0]: expected an object, found 1"),
        ("null", "ROUTES[0]: expected an object, found null"),
        (
            r#"{"pattern": "a.example"}"#,
            "ROUTES[0] `a.example`: worker: required, but missing",
        ),
        (
            r#"{"pattern": null, "worker": "a"}"#,
            "ROUTES[0]: pattern: required, but missing",
        ),
        (
            r#"{"pattern": 1, "worker": "a"}"#,
            "ROUTES[0]: pattern: expected a string, found 1",
        ),
        (
            r#"{"pattern": "\ud800", "worker": "a"}"#,
            r#"ROUTES[0]: pattern: expected a string, found "\ud800""#,
        ),
        (
            r#"{"\ud800": "a.example", "worker": "a"}"#,
            "ROUTES[0]: expected keys in valid Unicode, found",
        ),
        (
            r#"{"pattern": "a.example", "worker": "a", "environmnet": "staging"}"#,
            "ROUTES[0] `a.example`: environmnet: unknown member; did you mean `environment`?",
        ),
        (
            r#"{"pattern": "a.example", "worker": "a", "env": "staging"}"#,
            "ROUTES[0] `a.example`: env: unknown member; did you mean `environment`?",
        ),
        (
            r#"{"pattern": "a.example", "worker": "a", "stripPrefix": true}"#,
            "ROUTES[0] `a.example`: stripPrefix: unknown member; did you mean `strip_prefix`?",
        ),
        (
            r#"{"pattern": "a.example", "worker": "a", "zone": "a"}"#,
            "ROUTES[0] `a.example`: zone: unknown member; the known members are `pattern`, `worker`, `environment`, \
             `strip_prefix`, `limits`, `outbound`",
        ),
        (
            r#"{"pattern": "a.example", "worker": "a", "worker": "b"}"#,
            "ROUTES[0] `a.example`: worker: given more than once",
        ),
        (
            r#"{"pattern": "a.example", "worker": "a", "limits": null, "limits": {"cpu_ms": 1}}"#,
            "ROUTES[0] `a.example`: limits: given more than once",
        ),
        (
            r#"{"pattern": "a.example", "worker": "a", "limits": {"cpu_ms": 1, "cpu_ms": 2}}"#,
            "ROUTES[0] `a.example`: limits.cpu_ms: given more than once",
        ),
        (
            r#"{"pattern": "a.example", "worker": "a", "outbound": {"k": 1, "k": 1}}"#,
            "ROUTES[0] `a.example`: outbound.k: given more than once",
        ),
        (
            r#"{"pattern": "a.example", "worker": "a", "outbound": {"k": [1, {"l": {"m": 1, "\u006d": 1}}]}}"#,
            "ROUTES[0] `a.example`: outbound.k[1].l.m: given more than once",
        ),
        (
            r#"{"pattern": "a.example", "worker": "a", "strip_prefix": "yes"}"#,
            r#"ROUTES[0] `a.example`: strip_prefix: expected `true` or `false`, found "yes""#,
        ),
        (
            r#"{"pattern": "a.example", "worker": "a", "strip_prefix": "0123456789012345678901234567890123456789"}"#,
            "found \"012345678901234567890123456789012345678…",
        ),
    ] {
        let error = error_of_text(&format!("[{rule}]"));
        assert!(error.contains(expected), "{rule}: {error}");
    }
}

#[test]
fn null_is_the_same_as_a_missing_member() {
    let rule = r#"[{"pattern": "a.example/x/*", "worker": "a", "environment": null, "strip_prefix": null,
        "limits": null, "outbound": null}]"#;
    let router = Router::with_routes(rule, Localhost::Unserved).unwrap();
    let route = router.route("https://a.example/x/y").unwrap();
    assert_eq!(route.environment(), Environment::Production);
    assert!(route.stripped().is_none());
    assert_eq!((route.rule().limits(), route.rule().outbound()), (None, None));
}

#[test]
fn every_problem_is_reported_at_once_in_the_order_of_the_rules() {
    let routes = r#"[
        {"pattern": "{worker}.example.com", "worker": "{worker}"},
        {"pattern": "*.example.org", "worker": "a", "environment": "qa"},
        {"pattern": "shop.example.com", "worker": "shop"},
        {"pattern": "shop.example.org", "worker": "shop", "limits": {"cpu_ms": "50", "subrequest": 5}},
        2,
        {"pattern": "staging.example.net", "worker": "a"}
    ]"#;
    let expected = [
        "ROUTES[1] `*.example.org`: ",
        "ROUTES[2] `shop.example.com` is unreachable, because ROUTES[0] `{worker}.example.com` matches every request",
        "ROUTES[3] `shop.example.org`: limits.cpu_ms: expected a whole number from 1 to 300000, found \"50\"",
        "ROUTES[3] `shop.example.org`: limits.subrequest: unknown member; did you mean `subrequests`?",
        "ROUTES[4]: expected an object, found 2",
        "ROUTES[5] `staging.example.net`: ",
    ];
    let error = Router::with_routes(routes, Localhost::Unserved).unwrap_err();
    let problems: Vec<String> = error.problems().map(ToString::to_string).collect();
    assert_eq!(problems.len(), expected.len(), "{problems:#?}");
    for (problem, expected) in problems.iter().zip(expected) {
        assert!(problem.starts_with(expected), "{problem}");
    }
    assert_eq!(
        error.to_string(),
        format!("ROUTES has 6 problems:\n- {}", problems.join("\n- "))
    );
}

#[test]
fn outbound_parameters_nest_up_to_a_limit() {
    let rule = |depth: usize| {
        let nested = format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
        format!(r#"[{{"pattern": "a.example", "worker": "a", "outbound": {nested}}}]"#)
    };
    assert!(Router::with_routes(&rule(128), Localhost::Unserved).is_ok());
    for depth in [129, 10_000] {
        let error = error_of_text(&rule(depth));
        assert!(
            error.ends_with("a: nested deeper than 128 levels"),
            "{depth}: {error}"
        );
    }
    let error = error_of_text(&"[{\"a\":".repeat(100_000));
    assert!(error.contains("EOF while parsing"), "{error}");
}

/// Each row is a pattern of a rule with a fixed Worker, and a part of the error.
#[test]
fn each_mistake_in_a_pattern_has_an_error_that_says_what_to_write() {
    let long_label = format!("{}{{a}}.example.com", "x".repeat(63));
    let long_host = format!("{}com", format!("{}.", "x".repeat(62)).repeat(4));
    let long_pattern = "x".repeat(513);
    for (pattern, expected) in [
        ("", "the pattern is empty"),
        (&*long_pattern, "more than 512 characters"),
        ("https://a.example.com", "a pattern has no scheme"),
        ("a.example.com:8080", "a pattern has no port"),
        ("a.example.com.", "remove the dot at the end"),
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
            "`*` is only allowed at the end of a path: for any label write a capture",
        ),
        ("a*.example.com", "for any label write a capture"),
        (
            "a.example.com/*/x",
            "`*` is only allowed at the end of a path, as `/*`",
        ),
        (
            "a.example.com/x*",
            "`*` is only allowed at the end of a path, as `/*`",
        ),
        (
            "a.example.com/**",
            "`*` is only allowed at the end of a path, as `/*`",
        ),
        ("a.example.com/x//y", "the path has an empty segment"),
        ("a.example.com//", "the path has an empty segment"),
        ("a.example.com//*", "the path has an empty segment"),
        ("a.example.com/./x", "`.` and `..` are resolved before"),
        ("a.example.com/x/..", "`.` and `..` are resolved before"),
        ("a.example.com/x/%2E%2e/*", "`.` and `..` are resolved before"),
        ("a.example.com/x?y", "a pattern cannot contain `?`"),
        ("a.example.com/x#y", "a pattern cannot contain `#`"),
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
        ("{}.example.com", "`{}` is not a valid capture"),
        ("{Worker}.example.com", "`{Worker}` is not a valid capture"),
        ("{1a}.example.com", "`{1a}` is not a valid capture"),
        ("{a-b}.example.com", "`{a-b}` is not a valid capture"),
        ("{{a}}.example.com", "`{{a}` is not a valid capture"),
        ("{a}.{a}.example.com", "the capture `{a}` twice"),
        ("{a}.example.com/{a}", "the capture `{a}` twice"),
        (
            "{a}{b}.example.com",
            "two captures in `{a}{b}` have no text between them",
        ),
        (
            "{a}.{b}.{c}.{d}.{e}.{f}.{g}.{h}.{i}.example.com",
            "more than 8 captures",
        ),
        ("{a}.example.com", "the target does not use the capture `{a}`"),
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
fn each_mistake_in_a_target_has_an_error_that_says_what_to_write() {
    let rule = |more: serde_json::Value| {
        let mut rule = json!({"pattern": "{a}.example.com/x/*", "worker": "{a}"});
        rule.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!([rule])
    };
    for (more, expected) in [
        (json!({"worker": "shop"}), "the target does not use the capture"),
        (
            json!({"pattern": "b.example.com", "worker": ""}),
            "no request can reach the Worker ``: a Worker name must not be empty",
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
        (json!({"worker": "{a}-"}), "must not start or end with '-'"),
        (json!({"worker": "{a}--x"}), "must not contain '--'"),
        (json!({"worker": "{a}_x"}), "only a-z, 0-9 and '-'"),
        (
            json!({"worker": format!("{{a}}{}", "x".repeat(63))}),
            "at most 63 characters",
        ),
        (
            json!({"pattern": "{a}.{env}.example.com", "worker": "{a}-{env}"}),
            "cannot be part of a Worker's name",
        ),
        (json!({"environment": "qa"}), "`qa` is not an environment"),
        (json!({"environment": "dev"}), "`dev` is not an environment"),
        (
            json!({"environment": "{env}"}),
            "the target uses `{env}`, which the pattern does not capture",
        ),
        (json!({"environment": "{a}"}), "`{a}` is not an environment"),
        (
            json!({"pattern": "{a}.staging.example.com"}),
            "the host names the environment `staging`, but the target's environment is production",
        ),
        (
            json!({"pattern": "{a}--dev.example.com", "environment": "staging"}),
            "the host names the environment `dev`, but the target's environment is staging",
        ),
        (
            json!({"pattern": "{a}.staging.{env}.example.com", "environment": "{env}"}),
            "the host names the environment `staging`, but the target's environment is `{env}`",
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
