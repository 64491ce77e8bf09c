//! The deploy API's configuration: `deploy-api/wrangler.jsonc`.

use dotdo_names::{DISPATCH_WORKER, LOGS_WORKER};
use serde_json::Value;
use wrangler_config::PlatformWorker;

use super::{
    bindings::Interface,
    bindings_of, check_settings, elements, must_be,
    objects::{self, Class},
    problems::Problems,
    schema::shown,
};

/// The variables that are numbers, each from 1 to this one.
const NUMBERS: [(&str, u32); 3] = [
    ("PREVIEW_LIFETIME_SECONDS", 365 * 24 * 60 * 60),
    ("UPSTREAM_TIMEOUT_SECONDS", 60),
    ("UPSTREAM_CALLS_PER_FIVE_MINUTES", 1_000_000),
];

/// What the Worker reads from its `env`. UPSTREAM is a binding of the local platform only.
const INTERFACE: Interface = Interface {
    worker: "the deploy API",
    bindings: &[
        ("durable_objects", "LEDGER"),
        ("r2_buckets", "BUNDLES"),
        ("services", "DISPATCHER"),
        ("services", "LOGS"),
    ],
    variables: &[
        "OIDC_ISSUERS",
        "OIDC_AUDIENCE",
        "PREVIEW_LIFETIME_SECONDS",
        "UPSTREAM_TIMEOUT_SECONDS",
        "UPSTREAM_CALLS_PER_FIVE_MINUTES",
        "UPSTREAM_URL",
        "WORKER_LOGS",
        "WORKER_URLS",
    ],
    secrets: &[
        "CLOUDFLARE_API_TOKEN",
        "CHECKPOINT_KEY",
        "UPLOAD_KEY",
        "BOOTSTRAP_TOKEN",
    ],
};

/// The secrets without which the Worker does not serve requests.
const REQUIRED_SECRETS: [&str; 3] = ["CLOUDFLARE_API_TOKEN", "CHECKPOINT_KEY", "UPLOAD_KEY"];

/// The Durable Object that stores all records.
const LEDGER: Class = Class {
    binding: "LEDGER",
    name: "Ledger",
};

/// The service bindings, the Workers that they reach, and their use.
const SERVICES: [(&str, &str, &str); 2] = [
    (
        "DISPATCHER",
        DISPATCH_WORKER,
        "through which deployments are verified",
    ),
    ("LOGS", LOGS_WORKER, "which stores the logs of Workers"),
];

/// Adds everything that is wrong with the configuration, and returns what it contains in a few words.
pub fn check(configuration: &Value, problems: &mut Problems) -> String {
    check_settings(PlatformWorker::DeployApi, configuration, problems);
    must_be(configuration, "main", "build/entry.js", problems);
    let meant = INTERFACE.check(configuration, problems);
    objects::check(configuration, LEDGER, &meant, problems);
    for (section, name) in INTERFACE
        .bindings
        .iter()
        .filter(|(_, name)| *name != LEDGER.binding)
    {
        if !meant.contains(name) && !bindings_of(configuration, section).any(|found| found == *name) {
            problems.add(
                format!("/{section}"),
                format!("the binding {name} is missing: add {}", example(name)),
            );
        }
    }
    check_bucket(configuration, problems);
    check_variables(configuration, problems);
    format!(
        "{} bindings, {} variables",
        INTERFACE.bindings.len(),
        configuration["vars"].as_object().map_or(0, serde_json::Map::len)
    )
}

fn example(binding: &str) -> String {
    match binding {
        "BUNDLES" => {
            r#"{ "binding": "BUNDLES", "bucket_name": "…" }, without which no deployment can be rolled back"#
                .to_owned()
        }
        _ => SERVICES
            .into_iter()
            .find(|(name, ..)| *name == binding)
            .map(|(name, service, purpose)| {
                format!(r#"{{ "binding": "{name}", "service": "{service}" }}, {purpose}"#)
            })
            .unwrap_or_default(),
    }
}

/// The name of a bucket, as Cloudflare requires it (<https://developers.cloudflare.com/r2/buckets/create-buckets/>).
fn check_bucket(configuration: &Value, problems: &mut Problems) {
    for (index, bucket) in elements(configuration, "/r2_buckets").iter().enumerate() {
        let name = bucket["bucket_name"].as_str().unwrap_or_default();
        let is_valid = (3..=63).contains(&name.len())
            && !name.starts_with('-')
            && !name.ends_with('-')
            && name
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if !is_valid {
            problems.add(
                format!("/r2_buckets/{index}/bucket_name"),
                format!("\"{name}\" is not a bucket name: write 3 to 63 of a-z, 0-9 and '-', without '-' at either end"),
            );
        }
    }
}

fn check_variables(configuration: &Value, problems: &mut Problems) {
    let variable = |name: &str| configuration.pointer(&format!("/vars/{name}"));
    for secret in INTERFACE.secrets {
        if variable(secret).is_some() {
            problems.add_unusable(
                format!("/vars/{secret}"),
                format!(
                    "{secret} is a secret, and everybody can read \"vars\": remove it, create a new one, and set that with \
                     `wrangler secret put {secret} -c deploy-api/wrangler.jsonc`"
                ),
            );
        }
    }
    for secret in REQUIRED_SECRETS {
        if !elements(configuration, "/secrets/required")
            .iter()
            .any(|name| name == secret)
        {
            problems.add(
                "/secrets/required",
                format!(
                    "the secret {secret} is not listed, so wrangler would deploy without it: add \"{secret}\""
                ),
            );
        }
    }
    if variable("OIDC_AUDIENCE")
        .and_then(Value::as_str)
        .is_none_or(str::is_empty)
    {
        problems.add(
            "/vars/OIDC_AUDIENCE",
            "the variable is missing or not a text: write the audience that workflows request in their token",
        );
    }
    if !variable("OIDC_ISSUERS").is_some_and(are_issuers) {
        problems.add(
            "/vars/OIDC_ISSUERS",
            "the variable is not a string with a JSON array of https:// URLs: write \
             \"[\\\"https://token.actions.githubusercontent.com\\\"]\"",
        );
    }
    if let Some(value) = variable("WORKER_LOGS")
        && !matches!(value.as_str(), Some("on" | "off"))
    {
        problems.add(
            "/vars/WORKER_LOGS",
            format!("{} is not a valid value: write \"on\" or \"off\"", shown(value)),
        );
    }
    for (name, largest) in NUMBERS {
        let Some(value) = variable(name) else { continue };
        let number = value.as_str().and_then(|text| text.parse::<u32>().ok());
        if !number.is_some_and(|number| (1..=largest).contains(&number)) {
            problems.add(
                format!("/vars/{name}"),
                format!(
                    "{} is not a number in its range: write a string from \"1\" to \"{largest}\"",
                    shown(value)
                ),
            );
        }
    }
}

/// Whether the variable is what the Worker reads: the text of a JSON array with at least one https URL, or a URL with its provider.
fn are_issuers(variable: &Value) -> bool {
    let issuers: Vec<Value> = variable
        .as_str()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let is_issuer = |issuer: &Value| {
        let address = match issuer.get("provider").and_then(Value::as_str) {
            Some("github" | "gitlab" | "buildkite") => issuer.get("issuer"),
            _ => Some(issuer),
        };
        address
            .and_then(Value::as_str)
            .is_some_and(|address| address.starts_with("https://"))
    };
    !issuers.is_empty() && issuers.iter().all(is_issuer)
}

#[cfg(test)]
mod tests {
    use dotdo_names::{ACCOUNT_ID, DEPLOY_API_WORKER};
    use serde_json::json;

    use super::*;

    fn valid() -> Value {
        json!({
            "name": DEPLOY_API_WORKER,
            "account_id": ACCOUNT_ID,
            "main": "build/entry.js",
            "durable_objects": {"bindings": [{"name": "LEDGER", "class_name": "Ledger"}]},
            "migrations": [{"tag": "v1", "new_sqlite_classes": ["Ledger"]}],
            "r2_buckets": [{"binding": "BUNDLES", "bucket_name": "bundles"}],
            "services": [
                {"binding": "DISPATCHER", "service": DISPATCH_WORKER},
                {"binding": "LOGS", "service": LOGS_WORKER},
            ],
            "vars": {"OIDC_AUDIENCE": "a", "OIDC_ISSUERS":
                "[\"https://issuer.example\", {\"issuer\": \"https://gitlab.example\", \"provider\": \"gitlab\"}]",
                "UPSTREAM_TIMEOUT_SECONDS": "60", "UPSTREAM_CALLS_PER_FIVE_MINUTES": "1200", "WORKER_LOGS": "on"},
            "secrets": {"required": REQUIRED_SECRETS},
        })
    }

    fn problems(configuration: &Value) -> Vec<String> {
        let mut problems = Problems::default();
        check(configuration, &mut problems);
        problems.into_vec().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn accepts_a_valid_configuration() {
        assert_eq!(problems(&valid()), [""; 0]);
    }

    /// Asserts that a valid configuration with one other value has one problem.
    fn assert_reported(pointer: &str, replacement: Value, expected: &str) {
        let mut configuration = valid();
        *configuration.pointer_mut(pointer).unwrap() = replacement;
        let found = problems(&configuration);
        assert_eq!(found.len(), 1, "{pointer}: {found:#?}");
        assert!(found[0].starts_with(expected), "{expected}: {found:#?}");
    }

    #[test]
    fn reports_each_invalid_or_missing_binding() {
        for (pointer, replacement, expected) in [
            (
                "/durable_objects/bindings/0/class_name",
                json!("Book"),
                "durable_objects.bindings[0].class_name: write \"Ledger\", not \"Book\"",
            ),
            (
                "/durable_objects",
                json!({}),
                "durable_objects: the binding LEDGER is missing",
            ),
            (
                "/durable_objects/bindings/0/name",
                json!("LEGDER"),
                "durable_objects.bindings[0].name: the deploy API does not read \"LEGDER\": write \"LEDGER\"",
            ),
            (
                "/migrations/0/new_sqlite_classes",
                json!([]),
                "migrations: no migration",
            ),
            (
                "/r2_buckets",
                json!([]),
                "r2_buckets: the binding BUNDLES is missing",
            ),
            (
                "/r2_buckets/0/bucket_name",
                json!("Bundles"),
                "r2_buckets[0].bucket_name: \"Bundles\" is not",
            ),
            (
                "/r2_buckets/0/binding",
                json!("BUNDLE"),
                "r2_buckets[0].binding: the deploy API does not read \"BUNDLE\": write \"BUNDLES\"",
            ),
            (
                "/services/0/service",
                json!("other"),
                "services[0].service: write",
            ),
            (
                "/services",
                json!([{"binding": "LOGS", "service": LOGS_WORKER}]),
                "services: the binding DISPATCHER is missing",
            ),
            (
                "/services",
                json!([{"binding": "DISPATCHER", "service": DISPATCH_WORKER}]),
                "services: the binding LOGS is missing: add { \"binding\": \"LOGS\", \"service\": \"logs\" }",
            ),
            (
                "/vars/WORKER_LOGS",
                json!("no"),
                "vars.WORKER_LOGS: \"no\" is not a valid value",
            ),
        ] {
            assert_reported(pointer, replacement, expected);
        }
    }

    #[test]
    fn reports_each_invalid_value() {
        for (pointer, replacement, expected) in [
            ("/name", json!("api"), "name: write"),
            ("/account_id", json!("0"), "account_id: write"),
            ("/main", json!("entry.js"), "main: write"),
            ("/vars/OIDC_AUDIENCE", json!(""), "vars.OIDC_AUDIENCE"),
            (
                "/vars/OIDC_ISSUERS",
                json!("https://issuer.example"),
                "vars.OIDC_ISSUERS",
            ),
            (
                "/vars/OIDC_ISSUERS",
                json!("[\"http://issuer.example\"]"),
                "vars.OIDC_ISSUERS",
            ),
            (
                "/vars/OIDC_ISSUERS",
                json!(["https://issuer.example"]),
                "vars.OIDC_ISSUERS",
            ),
            ("/vars/OIDC_ISSUERS", json!("[]"), "vars.OIDC_ISSUERS"),
            (
                "/vars/OIDC_ISSUERS",
                json!("[{\"issuer\": \"https://gitlab.example\", \"provider\": \"jenkins\"}]"),
                "vars.OIDC_ISSUERS",
            ),
            (
                "/vars/OIDC_ISSUERS",
                json!("[{\"issuer\": \"http://gitlab.example\", \"provider\": \"gitlab\"}]"),
                "vars.OIDC_ISSUERS",
            ),
            (
                "/vars/UPSTREAM_TIMEOUT_SECONDS",
                json!("61"),
                "vars.UPSTREAM_TIMEOUT_SECONDS: \"61\" is not",
            ),
            (
                "/vars/UPSTREAM_TIMEOUT_SECONDS",
                json!(60),
                "vars.UPSTREAM_TIMEOUT_SECONDS: 60 is not",
            ),
            (
                "/vars/UPSTREAM_CALLS_PER_FIVE_MINUTES",
                json!("0"),
                "vars.UPSTREAM_CALLS_PER_FIVE_MINUTES: \"0\" is not",
            ),
            (
                "/secrets/required",
                json!(["CLOUDFLARE_API_TOKEN", "UPLOAD_KEY"]),
                "secrets.required: the secret CHECKPOINT_KEY is not listed",
            ),
            (
                "/secrets/required",
                json!(["CLOUDFLARE_API_TOKEN", "CHECKPOINT_KEY"]),
                "secrets.required: the secret UPLOAD_KEY is not listed",
            ),
        ] {
            assert_reported(pointer, replacement, expected);
        }
    }

    #[test]
    fn reports_a_secret_in_the_file_without_its_value() {
        for secret in INTERFACE.secrets {
            let mut configuration = valid();
            configuration["vars"][secret] = json!("hunter2");
            let found = problems(&configuration).join("\n");
            assert!(found.contains(secret) && !found.contains("hunter2"), "{found}");
        }
    }
}
