//! The values of the KV namespace `HOSTNAMES`.

use dispatcher::routing::{CustomHostname, Host, Limits};
use dotdo_names::Environment;

fn parse(host: &str, value: &str) -> Result<CustomHostname, String> {
    let host = Host::parse(host).expect("a host");
    CustomHostname::parse(host, value).map_err(|error| error.to_string())
}

#[test]
fn a_value_is_a_workers_name() {
    for value in ["shop", " shop\n"] {
        let hostname = parse("shop.example.com", value).unwrap();
        assert_eq!(hostname.worker.as_str(), "shop");
        assert_eq!(hostname.environment, Environment::Production);
        assert_eq!((hostname.limits, hostname.outbound), (None, None));
    }
}

#[test]
fn a_value_is_json_with_all_that_a_rule_may_say() {
    let value = r#"{"worker": "shop", "environment": "development", "limits": {"subrequests": 5}, "outbound": {"a": 1}}"#;
    let hostname = parse("shop.example.com", value).unwrap();
    assert_eq!(hostname.environment, Environment::Development);
    let limits = Limits {
        cpu_ms: None,
        subrequests: Some(5),
    };
    assert_eq!(hostname.limits, Some(limits));
    assert_eq!(hostname.outbound.unwrap().as_json(), r#"{"a": 1}"#);
    let hostname = parse("shop.example.com", r#"{"worker": "shop"}"#).unwrap();
    assert_eq!(hostname.environment, Environment::Production);
}

#[test]
fn a_host_that_names_another_environment_is_never_production_by_default() {
    for host in [
        "staging.shop.example.com",
        "shop--dev.example.com",
        "Development.example.com",
    ] {
        for value in ["shop", r#"{"worker": "shop"}"#] {
            let error = parse(host, value).unwrap_err();
            assert!(
                error.contains("the value must say which environment it means"),
                "{error}"
            );
        }
        let said = parse(host, r#"{"worker": "shop", "environment": "staging"}"#).unwrap();
        assert_eq!(said.environment, Environment::Staging);
        let said = parse(host, r#"{"worker": "shop", "environment": "production"}"#).unwrap();
        assert_eq!(said.environment, Environment::Production);
    }
    assert!(
        parse("shop.dev", "shop").is_ok(),
        "a top-level domain names nothing"
    );
}

#[test]
fn an_invalid_value_is_an_error_and_not_production() {
    for (value, expected) in [
        ("", "`` is no Worker: a Worker's name is not empty"),
        ("Shop", "`Shop` is no Worker"),
        ("staging", "`staging` is no Worker"),
        ("\"shop\"", "only a-z, 0-9 and '-'"),
        ("[\"shop\"]", "is no Worker"),
        (
            "{",
            "the value is neither a Worker's name nor a JSON object: EOF while parsing an object at line 1 column 1",
        ),
        ("{}", "worker: required, but missing"),
        (r#"{"worker": null}"#, "worker: required, but missing"),
        (r#"{"worker": "com"}"#, "`com` is no Worker"),
        (
            r#"{"worker": "shop", "env": "staging"}"#,
            "env: unknown member; did you mean `environment`?",
        ),
        (
            r#"{"worker": "shop", "strip_prefix": true}"#,
            "strip_prefix: unknown member; the known members are `worker`, `environment`, `limits`, `outbound`",
        ),
        (
            r#"{"worker": "shop", "environment": "qa"}"#,
            "`qa` is no environment",
        ),
        (
            r#"{"worker": "shop", "environment": "{env}"}"#,
            "`{env}` is no environment",
        ),
        (
            r#"{"worker": "shop", "worker": "shop"}"#,
            "worker: given more than once",
        ),
        (
            r#"{"worker": "shop", "limits": {"cpu_ms": 0}}"#,
            "limits.cpu_ms: expected a whole number from 1 to 300000, found 0",
        ),
        (
            r#"{"worker": "shop", "limits": {}}"#,
            "limits: expected `cpu_ms`, `subrequests` or both, found an empty object",
        ),
        (
            r#"{"worker": "shop", "outbound": []}"#,
            "outbound: expected an object, found an array",
        ),
        (
            r#"{"worker": "shop", "outbound": {"a": {"b": 1, "b": 2}}}"#,
            "outbound.a.b: given more than once",
        ),
        (
            r#"{"worker": 1, "environment": {}, "outbound": {}}"#,
            "worker: expected a string, found 1; environment: expected a string, found an object",
        ),
    ] {
        let error = parse("shop.example.com", value).expect_err(value);
        assert!(error.contains(expected), "{value}: {error}");
    }
}
