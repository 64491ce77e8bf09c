//! The values of the KV namespace `HOSTNAMES`.

use dispatcher::routing::{CustomHostname, Host, Limits};
use dotdo_names::Environment;

fn parse(host: &str, value: &str) -> Result<CustomHostname, String> {
    let host = Host::parse(host).expect("a host");
    CustomHostname::parse(host, value).map_err(|error| error.to_string())
}

#[test]
fn a_value_is_a_worker_name() {
    for value in ["shop", " shop\n"] {
        let hostname = parse("shop.example.com", value).unwrap();
        assert_eq!(hostname.worker.as_str(), "shop");
        assert_eq!(hostname.environment, Environment::Production);
        assert_eq!((hostname.limits, hostname.outbound), (None, None));
    }
}

#[test]
fn a_value_is_a_json_object_with_environment_limits_and_outbound_parameters() {
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
fn a_host_that_names_an_environment_needs_an_environment_in_the_value() {
    for host in [
        "staging.shop.example.com",
        "shop--dev.example.com",
        "Development.example.com",
    ] {
        for value in ["shop", r#"{"worker": "shop"}"#] {
            let error = parse(host, value).unwrap_err();
            assert!(
                error.contains("so the value must contain its environment"),
                "{error}"
            );
        }
        let hostname = parse(host, r#"{"worker": "shop", "environment": "staging"}"#).unwrap();
        assert_eq!(hostname.environment, Environment::Staging);
        let hostname = parse(host, r#"{"worker": "shop", "environment": "production"}"#).unwrap();
        assert_eq!(hostname.environment, Environment::Production);
    }
    assert!(
        parse("shop.dev", "shop").is_ok(),
        "a top-level domain names no environment"
    );
}

#[test]
fn an_invalid_value_is_an_error_and_not_production() {
    for (value, expected) in [
        (
            "",
            "`` is not a valid Worker name: a Worker name must not be empty",
        ),
        ("Shop", "`Shop` is not a valid Worker name"),
        ("staging", "`staging` is not a valid Worker name"),
        ("\"shop\"", "only a-z, 0-9 and '-'"),
        ("[\"shop\"]", "is not a valid Worker name"),
        (
            "{",
            "the value is neither a Worker's name nor a JSON object: EOF while parsing an object at line 1 column 1",
        ),
        ("{}", "worker: required, but missing"),
        (r#"{"worker": null}"#, "worker: required, but missing"),
        (r#"{"worker": "com"}"#, "`com` is not a valid Worker name"),
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
            "`qa` is not an environment",
        ),
        (
            r#"{"worker": "shop", "environment": "{env}"}"#,
            "`{env}` is not an environment",
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
