//! The dispatch Worker's configuration: `wrangler.jsonc`.

use dispatcher::routing::{Localhost, Router, RulesError};
use dotdo_names::Environment;
use serde_json::Value;
use wrangler_config::{PlatformWorker, Zones};

use super::{
    bindings::Interface, check_settings, elements, must_be, problems::Problems, require_id, routes,
    schema::shown,
};

/// The maximum size of a variable, in bytes (<https://developers.cloudflare.com/workers/platform/limits/>).
const MAX_VARIABLE: usize = 5 * 1024;

/// What the Worker reads from its `env`, except LOCALHOST, which only the local platform sets.
const INTERFACE: Interface = Interface {
    worker: "the dispatch Worker",
    bindings: &[
        ("dispatch_namespaces", Environment::Production.binding()),
        ("dispatch_namespaces", Environment::Staging.binding()),
        ("dispatch_namespaces", Environment::Development.binding()),
        ("kv_namespaces", "HOSTNAMES"),
        ("analytics_engine_datasets", "ANALYTICS"),
        ("services", "LOGS"),
    ],
    variables: &["ROUTES", "LOG_REFUSALS", "LOCALHOST"],
    secrets: &[],
};

/// Adds everything that is wrong with the configuration, and returns what it contains in a few words.
pub fn check(configuration: &Value, zones: Zones<'_>, problems: &mut Problems) -> String {
    check_settings(PlatformWorker::Dispatch, configuration, problems);
    must_be(configuration, "main", "build/entry.js", problems);
    let meant = INTERFACE.check(configuration, problems);
    check_namespaces(configuration, &meant, problems);
    check_variables(configuration, problems);
    for (index, entry) in elements(configuration, "/kv_namespaces").iter().enumerate() {
        require_id(entry, &format!("/kv_namespaces/{index}"), problems);
    }
    let router = load(configuration, problems);
    if let Some(router) = &router {
        check_outbound(configuration, router, problems);
    }
    let route_count = routes::check(configuration, router.as_ref(), zones, problems);
    let environments = Environment::ALL.len();
    let rules = router.map_or(0, |router| router.rules().len());
    format!("{environments} environments, {rules} rules, {route_count} routes")
}

/// The router of the configuration, if its rules can be loaded.
fn load(configuration: &Value, problems: &mut Problems) -> Option<Router> {
    let rules = match wrangler_config::routes(configuration) {
        Ok(None) => return Some(Router::builtin(Localhost::Unserved)),
        Ok(Some(rules)) => rules,
        Err(error) => {
            problems.add("/vars/ROUTES", error.to_string());
            return None;
        }
    };
    if rules.len() > MAX_VARIABLE {
        problems.add(
            "/vars/ROUTES",
            format!(
                "the variable has {} bytes, and Cloudflare takes at most {MAX_VARIABLE}: merge rules with captures, or move \
                 hosts of single customers to the KV namespace HOSTNAMES",
                rules.len()
            ),
        );
    }
    match Router::with_routes(&rules, Localhost::Unserved) {
        Ok(router) => Some(router),
        Err(error) => {
            for message in rule_problems(&error) {
                let (pointer, message) = locate(&message);
                problems.add(pointer, message);
            }
            None
        }
    }
}

/// Each problem of the rules, in a sentence.
fn rule_problems(error: &RulesError) -> Vec<String> {
    error.problems().map(ToString::to_string).collect()
}

/// The rule of ``ROUTES[3] `a.example`: …`` as a JSON Pointer, and the rest of the message.
fn locate(message: &str) -> (String, String) {
    message
        .strip_prefix("ROUTES[")
        .and_then(|rest| rest.split_once(']'))
        .filter(|(index, _)| index.bytes().all(|byte| byte.is_ascii_digit()))
        .map_or_else(
            || ("/vars/ROUTES".to_owned(), message.to_owned()),
            |(index, rest)| {
                let rest = rest.trim_start_matches([' ', ':']);
                (format!("/vars/ROUTES/{index}"), rest.to_owned())
            },
        )
}

/// Each environment has its binding; only development's is remote in `wrangler dev`.
fn check_namespaces(configuration: &Value, meant: &[&str], problems: &mut Problems) {
    let written = elements(configuration, "/dispatch_namespaces");
    for environment in Environment::ALL {
        let (binding, namespace) = (environment.binding(), environment.namespace());
        let remote = environment == Environment::Development;
        // A binding that occurs twice is reported as such.
        let found = written
            .iter()
            .enumerate()
            .find(|(_, entry)| entry["binding"] == binding);
        let Some((index, entry)) = found else {
            if !meant.contains(&binding) {
                let remote = if remote { ", \"remote\": true" } else { "" };
                problems.add(
                    "/dispatch_namespaces",
                    format!(
                        "{environment} has no binding: add {{ \"binding\": \"{binding}\", \"namespace\": \"{namespace}\"\
                         {remote} }}"
                    ),
                );
            }
            continue;
        };
        let pointer = format!("/dispatch_namespaces/{index}");
        let is_remote = entry["remote"] == true;
        if remote && !is_remote {
            problems.add(
                format!("{pointer}/remote"),
                format!("`wrangler dev` uses the remote namespace of {environment}: add \"remote\": true to {binding}"),
            );
        } else if !remote && is_remote {
            problems.add(
                format!("{pointer}/remote"),
                format!(
                    "`wrangler dev` must not reach the namespace of {environment}: remove \"remote\" from {binding}"
                ),
            );
        }
    }
}

fn check_variables(configuration: &Value, problems: &mut Problems) {
    let variable = |name: &str| configuration.pointer(&format!("/vars/{name}"));
    if variable("LOCALHOST").is_some() {
        problems.add(
            "/vars/LOCALHOST",
            "the variable is for a developer's machine and must not be deployed: remove it; .dev.vars sets it for `wrangler \
             dev`, and `npm run dev` sets it itself",
        );
    }
    if let Some(value) = variable("LOG_REFUSALS")
        && value != "1"
    {
        problems.add(
            "/vars/LOG_REFUSALS",
            format!(
                "{} is not a valid value: write \"1\", or remove the variable",
                shown(value)
            ),
        );
    }
}

/// Each parameter that a rule gives an outbound Worker is declared by the bindings that the rule can select.
fn check_outbound(configuration: &Value, router: &Router, problems: &mut Problems) {
    for rule in router.rules() {
        let Some(Ok(Value::Object(parameters))) = rule
            .outbound()
            .map(|outbound| serde_json::from_str(outbound.as_json()))
        else {
            continue;
        };
        let serves =
            |environment: &&Environment| rule.environment().is_none_or(|fixed| fixed == **environment);
        for environment in Environment::ALL.iter().filter(serves) {
            let binding = environment.binding();
            let entry = elements(configuration, "/dispatch_namespaces")
                .iter()
                .enumerate()
                .find(|(_, entry)| entry["binding"] == binding);
            let Some((index, entry)) = entry else { continue };
            let declared = elements(entry, "/outbound/parameters");
            for parameter in parameters
                .keys()
                .filter(|key| !declared.iter().any(|name| name == key.as_str()))
            {
                problems.add(
                    format!("/dispatch_namespaces/{index}/outbound/parameters"),
                    format!(
                        "{rule} sets the outbound parameter \"{parameter}\", which {binding} does not declare: add \
                         \"{parameter}\""
                    ),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use dotdo_names::{ACCOUNT_ID, DISPATCH_WORKER, LOGS_WORKER};
    use serde_json::json;

    use super::*;

    const NO_ZONES: Zones<'static> = Zones {
        routed: &[],
        custom_hostnames: None,
    };

    fn valid() -> Value {
        let namespace = |environment: Environment| {
            let mut entry = json!({"binding": environment.binding(), "namespace": environment.namespace()});
            if environment == Environment::Development {
                entry["remote"] = json!(true);
            }
            entry
        };
        json!({
            "name": DISPATCH_WORKER,
            "account_id": ACCOUNT_ID,
            "main": "build/entry.js",
            "dispatch_namespaces": Environment::ALL.map(namespace),
        })
    }

    /// The problems of a valid configuration after `change`.
    fn problems(change: impl FnOnce(&mut Value)) -> Vec<String> {
        let mut configuration = valid();
        change(&mut configuration);
        let mut problems = Problems::default();
        check(&configuration, NO_ZONES, &mut problems);
        problems.into_vec().iter().map(ToString::to_string).collect()
    }

    fn set(pointer: &str, value: Value) -> impl FnOnce(&mut Value) + use<'_> {
        move |configuration| {
            let (parent, member) = pointer.rsplit_once('/').unwrap();
            let parent = configuration.pointer_mut(parent).unwrap();
            match parent {
                Value::Array(elements) => elements[member.parse::<usize>().unwrap()] = value,
                parent => parent[member] = value,
            }
        }
    }

    #[test]
    fn accepts_a_valid_configuration() {
        assert_eq!(problems(|_| ()), [""; 0]);
        let all = json!({
            "vars": {"LOG_REFUSALS": "1", "ROUTES": [{"pattern": "a.example.com", "worker": "a"}]},
            "kv_namespaces": [{"binding": "HOSTNAMES", "id": "0123456789abcdef0123456789abcdef"}],
            "analytics_engine_datasets": [{"binding": "ANALYTICS", "dataset": "dispatcher"}],
        });
        let all = all.as_object().unwrap().clone();
        assert_eq!(problems(|it| it.as_object_mut().unwrap().extend(all)), [""; 0]);
    }

    #[test]
    fn reports_each_invalid_value() {
        let development = Environment::Development.namespace();
        for (pointer, value, expected) in [
            ("/name", json!("dispatch"), format!("name: write \"{DISPATCH_WORKER}\", not \"dispatch\"")),
            ("/account_id", json!("0"), format!("account_id: write \"{ACCOUNT_ID}\"")),
            ("/main", json!("src/entry.js"), "main: write \"build/entry.js\"".to_owned()),
            (
                "/dispatch_namespaces/1/namespace",
                json!(development),
                format!("dispatch_namespaces[1].namespace: write \"{}\", not \"{development}\"", Environment::Staging.namespace()),
            ),
            (
                "/dispatch_namespaces/1/binding",
                json!("DISPATCHER_STAGNG"),
                "dispatch_namespaces[1].binding: the dispatch Worker does not read \"DISPATCHER_STAGNG\": write \
                 \"DISPATCHER_STAGING\""
                    .to_owned(),
            ),
            (
                "/dispatch_namespaces/0/remote",
                json!(true),
                "dispatch_namespaces[0].remote: `wrangler dev` must not reach the namespace of production".to_owned(),
            ),
            (
                "/dispatch_namespaces/2/remote",
                json!(false),
                "dispatch_namespaces[2].remote: `wrangler dev` uses the remote namespace of development: add".to_owned(),
            ),
            ("/vars", json!({"LOCALHOST": "do"}), "vars.LOCALHOST: ".to_owned()),
            ("/vars", json!({"LOG_REFUSALS": 1}), "vars.LOG_REFUSALS: 1 is not a valid value".to_owned()),
            ("/vars", json!({"LOG_REFUSALS": "true"}), "vars.LOG_REFUSALS: \"true\" is".to_owned()),
            ("/vars", json!({"ROUTE": []}), "vars.ROUTE: the dispatch Worker does not read \"ROUTE\"".to_owned()),
            ("/vars", json!({"ROUTES": "[}"}), "vars.ROUTES: ROUTES is not a JSON array".to_owned()),
            ("/vars", json!({"ROUTES": {}}), "vars.ROUTES: ".to_owned()),
            (
                "/vars",
                json!({"ROUTES": [{"pattern": "*.example.com", "worker": "a"}]}),
                "vars.ROUTES[0]: `*.example.com`".to_owned(),
            ),
            (
                "/kv_namespaces",
                json!([{"binding": "HOSTNAMES", "id": "hostnames"}]),
                "kv_namespaces[0].id: \"hostnames\" is not 32 hex digits".to_owned(),
            ),
            (
                "/kv_namespaces",
                json!([{"binding": "HOSTNAMES"}]),
                "kv_namespaces[0].id: the id is missing".to_owned(),
            ),
            (
                "/services",
                json!([{"binding": "LOGS", "service": "other"}]),
                format!("services[0].service: write \"{LOGS_WORKER}\""),
            ),
            (
                "/secrets",
                json!({"required": ["TOKEN"]}),
                "secrets.required[0]: the dispatch Worker does not read \"TOKEN\"".to_owned(),
            ),
        ] {
            let found = problems(set(pointer, value));
            assert_eq!(found.len(), 1, "{pointer}: {found:#?}");
            assert!(found[0].starts_with(&expected), "{expected}: {found:#?}");
        }
    }

    #[test]
    fn each_environment_has_one_binding() {
        let missing = problems(|it| drop(it["dispatch_namespaces"].as_array_mut().unwrap().remove(2)));
        assert_eq!(missing.len(), 1, "{missing:#?}");
        assert!(
            missing[0].contains("development has no binding") && missing[0].contains("\"remote\": true"),
            "{missing:#?}"
        );

        let twice = problems(|it| it["dispatch_namespaces"][1] = it["dispatch_namespaces"][0].clone());
        assert!(
            twice[0].contains("\"DISPATCHER_PRODUCTION\" is declared twice"),
            "{twice:#?}"
        );
        assert!(twice[1].contains("staging has no binding"), "{twice:#?}");

        let fourth = json!({"binding": "DISPATCHER_QA", "namespace": "dotdo-qa"});
        let unknown = problems(|it| it["dispatch_namespaces"].as_array_mut().unwrap().push(fourth));
        assert_eq!(unknown.len(), 1, "{unknown:#?}");
        assert!(
            unknown[0].contains("does not read \"DISPATCHER_QA\""),
            "{unknown:#?}"
        );
    }

    #[test]
    fn rejects_rules_that_are_too_large_for_a_variable() {
        let rules: Vec<Value> = (0..200)
            .map(|n| json!({"pattern": format!("a{n}.example.com"), "worker": "a"}))
            .collect();
        let found = problems(|it| it["vars"] = json!({"ROUTES": rules}));
        assert!(found[0].contains("at most 5120"), "{found:#?}");
    }

    #[test]
    fn requires_outbound_parameters_in_each_binding_that_a_rule_can_select() {
        let rule = json!([{"pattern": "{worker}.{env}.example.com", "worker": "{worker}", "environment": "{env}",
            "outbound": {"tenant": "x"}}]);
        let found = problems(|it| it["vars"] = json!({"ROUTES": rule}));
        assert_eq!(found.len(), 3, "{found:#?}");
        for (problem, environment) in found.iter().zip(Environment::ALL) {
            assert!(problem.contains(environment.binding()), "{found:#?}");
        }
        let declared = problems(|it| {
            it["vars"] =
                json!({"ROUTES": [{"pattern": "a.example.com", "worker": "a", "outbound": {"tenant": "x"}}]});
            it["dispatch_namespaces"][0]["outbound"] =
                json!({"service": "outbound", "parameters": ["tenant"]});
        });
        assert_eq!(declared, [""; 0]);
    }

    #[test]
    fn locates_the_rule_of_a_problem() {
        for (message, pointer, rest) in [
            (
                "ROUTES[12] `a.example`: wrong",
                "/vars/ROUTES/12",
                "`a.example`: wrong",
            ),
            (
                "ROUTES[0]: it is not a rule",
                "/vars/ROUTES/0",
                "it is not a rule",
            ),
            (
                "ROUTES is not a JSON array",
                "/vars/ROUTES",
                "ROUTES is not a JSON array",
            ),
        ] {
            assert_eq!(locate(message), (pointer.to_owned(), rest.to_owned()));
        }
    }
}
