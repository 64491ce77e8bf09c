//! The deploy API's configuration: `deploy-api/wrangler.jsonc`.

use dotdo_names::{ACCOUNT_ID, DEPLOY_API_WORKER, DISPATCH_WORKER};
use serde_json::Value;

use super::{elements, must_be, verdict};

/// What must never stand in a file of the repository.
const SECRETS: [&str; 3] = ["CLOUDFLARE_API_TOKEN", "CHECKPOINT_KEY", "BOOTSTRAP_TOKEN"];

/// What the configuration holds, or everything that is wrong with it.
pub fn check(configuration: &Value) -> Result<String, Vec<String>> {
    let mut problems = Vec::new();
    must_be(configuration, "name", DEPLOY_API_WORKER, &mut problems);
    must_be(configuration, "account_id", ACCOUNT_ID, &mut problems);
    check_ledger(configuration, &mut problems);
    check_bindings(configuration, &mut problems);
    check_variables(configuration, &mut problems);
    verdict(problems, "bindings and variables: all right".to_owned())
}

/// The Durable Object that holds all state has its class, and that class keeps SQLite.
fn check_ledger(configuration: &Value, problems: &mut Vec<String>) {
    let ledger = elements(configuration, "/durable_objects/bindings")
        .iter()
        .find(|binding| binding["name"] == "LEDGER");
    if ledger.is_none_or(|binding| binding["class_name"] != "Ledger") {
        problems.push("the Durable Object binding LEDGER with the class Ledger is missing".to_owned());
    }
    let keeps_sqlite = elements(configuration, "/migrations")
        .iter()
        .flat_map(|migration| elements(migration, "/new_sqlite_classes"))
        .any(|class| class == "Ledger");
    if !keeps_sqlite {
        problems.push(
            "no migration has Ledger among its \"new_sqlite_classes\", and a class cannot become one later"
                .to_owned(),
        );
    }
}

fn check_bindings(configuration: &Value, problems: &mut Vec<String>) {
    let buckets = elements(configuration, "/r2_buckets");
    if !buckets.iter().any(|bucket| bucket["binding"] == "BUNDLES") {
        problems.push("the R2 binding BUNDLES is missing: without it nothing can be rolled back".to_owned());
    }
    let dispatcher = elements(configuration, "/services")
        .iter()
        .find(|service| service["binding"] == "DISPATCHER");
    if dispatcher.is_none_or(|service| service["service"] != DISPATCH_WORKER) {
        problems.push(format!(
            "the service binding DISPATCHER to the Worker \"{DISPATCH_WORKER}\" is missing: deployments are verified through it"
        ));
    }
}

fn check_variables(configuration: &Value, problems: &mut Vec<String>) {
    let variable = |name: &str| configuration.pointer(&format!("/vars/{name}"));
    for secret in SECRETS {
        if variable(secret).is_some() {
            problems.push(format!(
                "{secret} is a secret, and everybody can read \"vars\": remove it, make a new one, and set it with \
                 `wrangler secret put {secret} -c deploy-api/wrangler.jsonc`"
            ));
        }
    }
    if variable("OIDC_AUDIENCE")
        .and_then(Value::as_str)
        .is_none_or(str::is_empty)
    {
        problems.push(
            "the variable OIDC_AUDIENCE is missing: write the audience that workflows ask for".to_owned(),
        );
    }
    let issuers = variable("OIDC_ISSUERS").map(|written| match written {
        Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
        other => other.clone(),
    });
    let is_issuer = |issuer: &Value| {
        issuer
            .as_str()
            .is_some_and(|issuer| issuer.starts_with("https://"))
    };
    let issuers = issuers.as_ref().and_then(Value::as_array);
    if issuers.is_none_or(|issuers| issuers.is_empty() || !issuers.iter().all(is_issuer)) {
        problems.push("the variable OIDC_ISSUERS is no JSON list of https:// addresses".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn valid() -> Value {
        json!({
            "name": DEPLOY_API_WORKER,
            "account_id": ACCOUNT_ID,
            "durable_objects": {"bindings": [{"name": "LEDGER", "class_name": "Ledger"}]},
            "migrations": [{"tag": "v1", "new_sqlite_classes": ["Ledger"]}],
            "r2_buckets": [{"binding": "BUNDLES", "bucket_name": "bundles"}],
            "services": [{"binding": "DISPATCHER", "service": DISPATCH_WORKER}],
            "vars": {"OIDC_AUDIENCE": "a", "OIDC_ISSUERS": "[\"https://issuer.example\"]"},
        })
    }

    #[test]
    fn a_configuration_that_holds() {
        check(&valid()).unwrap();
    }

    #[test]
    fn each_part_is_missed() {
        for (pointer, replacement, expected) in [
            ("/name", json!("api"), "\"name\""),
            ("/account_id", json!("0"), "\"account_id\""),
            ("/durable_objects/bindings/0/class_name", json!("Book"), "LEDGER"),
            (
                "/migrations/0/new_sqlite_classes",
                json!([]),
                "new_sqlite_classes",
            ),
            ("/r2_buckets", json!([]), "BUNDLES"),
            ("/services/0/service", json!("other"), "DISPATCHER"),
            ("/vars/OIDC_AUDIENCE", json!(""), "OIDC_AUDIENCE"),
            (
                "/vars/OIDC_ISSUERS",
                json!("https://issuer.example"),
                "OIDC_ISSUERS",
            ),
            (
                "/vars/OIDC_ISSUERS",
                json!("[\"http://issuer.example\"]"),
                "OIDC_ISSUERS",
            ),
            ("/vars/OIDC_ISSUERS", json!("[]"), "OIDC_ISSUERS"),
        ] {
            let mut configuration = valid();
            *configuration.pointer_mut(pointer).unwrap() = replacement;
            let problems = check(&configuration).expect_err(pointer);
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].contains(expected), "{pointer}: {problems:?}");
        }
    }

    #[test]
    fn a_secret_in_the_file_is_told_without_its_value() {
        for secret in SECRETS {
            let mut configuration = valid();
            configuration["vars"][secret] = json!("hunter2");
            let problems = check(&configuration).expect_err(secret).join("\n");
            assert!(
                problems.contains(secret) && !problems.contains("hunter2"),
                "{problems}"
            );
        }
    }
}
