//! The dispatch Worker's configuration: `wrangler.jsonc`.

use dispatcher::routing::{Localhost, Router};
use dotdo_names::{ACCOUNT_ID, DISPATCH_WORKER, Environment};
use serde_json::Value;

use super::{elements, must_be, verdict, zone};
use crate::routes_variable;

/// The longest value of a variable, in bytes (<https://developers.cloudflare.com/workers/platform/limits/>).
const MAX_VARIABLE: usize = 5 * 1024;

/// What the configuration holds, or everything that is wrong with it.
pub fn check(configuration: &Value) -> Result<String, Vec<String>> {
    let mut problems = Vec::new();
    must_be(configuration, "name", DISPATCH_WORKER, &mut problems);
    must_be(configuration, "account_id", ACCOUNT_ID, &mut problems);
    check_namespaces(configuration, &mut problems);
    if configuration.pointer("/vars/LOCALHOST").is_some() {
        problems.push(
            "\"vars\" has LOCALHOST, which only a developer's machine sets: leave it out, `npm run dev` adds it".to_owned(),
        );
    }
    let mut rules = 0;
    let mut zones = 0;
    match load(configuration) {
        Err(problem) => problems.push(problem),
        Ok(router) => {
            rules = router.rules().len();
            check_outbound(configuration, &router, &mut problems);
            zones = zone::check(configuration, &router, &mut problems);
        }
    }
    let environments = Environment::ALL.len();
    verdict(
        problems,
        format!("{environments} environments, {rules} rules, {zones} routes to zones: all right"),
    )
}

fn load(configuration: &Value) -> Result<Router, String> {
    let Some(routes) = routes_variable::of(configuration).map_err(|error| error.to_string())? else {
        return Ok(Router::builtin(Localhost::Unserved));
    };
    if routes.len() > MAX_VARIABLE {
        return Err(format!(
            "ROUTES has {} bytes, and a variable has at most {MAX_VARIABLE}: merge rules by captures, or give hosts of \
             single customers to the KV namespace HOSTNAMES",
            routes.len()
        ));
    }
    Router::with_routes(&routes, Localhost::Unserved).map_err(|error| error.to_string())
}

/// Each environment has its binding, and no binding leads elsewhere.
fn check_namespaces(configuration: &Value, problems: &mut Vec<String>) {
    let written = elements(configuration, "/dispatch_namespaces");
    for environment in Environment::ALL {
        let (binding, namespace) = (environment.binding(), environment.namespace());
        let found: Vec<&Value> = written
            .iter()
            .filter(|entry| entry["binding"] == binding)
            .collect();
        match found.as_slice() {
            [entry] if entry["namespace"] == namespace => {}
            [entry] => problems.push(format!(
                "the binding {binding} leads to {}, but {environment} is the namespace \"{namespace}\"",
                entry["namespace"]
            )),
            [] => problems.push(format!(
                "{environment} has no binding: add {{ \"binding\": \"{binding}\", \"namespace\": \"{namespace}\" }} to \
                 \"dispatch_namespaces\""
            )),
            _ => problems.push(format!("the binding {binding} stands twice in \"dispatch_namespaces\"")),
        }
    }
    for entry in written {
        let known = Environment::ALL
            .iter()
            .any(|environment| entry["binding"] == environment.binding());
        if !known {
            problems.push(format!(
                "the dispatch namespace binding {} belongs to no environment: remove it, or add the environment to the \
                 crate dotdo-names",
                entry["binding"]
            ));
        }
        if entry["remote"] == true {
            problems.push(format!(
                "the binding {} is remote, which only `npm run dev:remote` needs: leave it out",
                entry["binding"]
            ));
        }
    }
}

/// Every parameter that a rule gives an outbound Worker is declared by the bindings that the rule may use.
fn check_outbound(configuration: &Value, router: &Router, problems: &mut Vec<String>) {
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
                .find(|entry| entry["binding"] == binding);
            let declared = entry.map_or(&[][..], |entry| elements(entry, "/outbound/parameters"));
            for parameter in parameters
                .keys()
                .filter(|key| !declared.iter().any(|name| name == key.as_str()))
            {
                problems.push(format!(
                    "{rule} gives the outbound parameter \"{parameter}\", which the binding {binding} does not declare: \
                     add it to \"outbound\".\"parameters\" there"
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn valid() -> Value {
        let namespace = |environment: Environment| json!({"binding": environment.binding(), "namespace": environment.namespace()});
        json!({
            "name": DISPATCH_WORKER,
            "account_id": ACCOUNT_ID,
            "dispatch_namespaces": Environment::ALL.map(namespace),
        })
    }

    /// What is wrong once `change` was made to a valid configuration.
    fn problems(change: impl FnOnce(&mut Value)) -> String {
        let mut configuration = valid();
        change(&mut configuration);
        check(&configuration)
            .expect_err("the configuration is wrong")
            .join("\n")
    }

    #[test]
    fn a_configuration_that_holds() {
        check(&valid()).unwrap();
    }

    #[test]
    fn each_environment_has_its_own_binding() {
        let missing = problems(|it| drop(it["dispatch_namespaces"].as_array_mut().unwrap().remove(1)));
        assert!(
            missing.contains("staging has no binding") && missing.contains("dotdo-staging"),
            "{missing}"
        );

        let swapped = problems(|it| it["dispatch_namespaces"][1]["namespace"] = json!("dotdo-production"));
        assert!(
            swapped.contains("DISPATCHER_STAGING leads to \"dotdo-production\""),
            "{swapped}"
        );

        let twice = problems(|it| it["dispatch_namespaces"][1] = it["dispatch_namespaces"][0].clone());
        assert!(twice.contains("DISPATCHER_PRODUCTION stands twice"), "{twice}");

        let fourth = json!({"binding": "DISPATCHER_QA", "namespace": "dotdo-qa"});
        let unknown = problems(|it| it["dispatch_namespaces"].as_array_mut().unwrap().push(fourth));
        assert!(
            unknown.contains("\"DISPATCHER_QA\" belongs to no environment"),
            "{unknown}"
        );

        let remote = problems(|it| it["dispatch_namespaces"][2]["remote"] = json!(true));
        assert!(remote.contains("DISPATCHER_DEVELOPMENT\" is remote"), "{remote}");
    }

    #[test]
    fn the_script_and_the_account_are_the_ones_that_others_rely_on() {
        let wrong = problems(|it| {
            it["name"] = json!("dispatch");
            it.as_object_mut().unwrap().remove("account_id");
        });
        assert!(
            wrong.contains("\"name\" is \"dispatch\": write \"dispatcher\""),
            "{wrong}"
        );
        assert!(wrong.contains("\"account_id\" is missing"), "{wrong}");
    }

    #[test]
    fn routes_have_to_load() {
        let wrong =
            problems(|it| it["vars"] = json!({"ROUTES": [{"pattern": "*.example.com", "worker": "a"}]}));
        assert!(wrong.contains("ROUTES[0] `*.example.com`"), "{wrong}");
        let wrong = problems(|it| it["vars"] = json!({"ROUTES": "[}"}));
        assert!(wrong.contains("ROUTES is not a JSON array"), "{wrong}");
        let rules: Vec<Value> = (0..200)
            .map(|n| json!({"pattern": format!("a{n}.example.com"), "worker": "a"}))
            .collect();
        let wrong = problems(|it| it["vars"] = json!({"ROUTES": rules}));
        assert!(wrong.contains("at most 5120"), "{wrong}");
    }

    #[test]
    fn outbound_parameters_are_declared_where_a_rule_may_lead() {
        let rule = json!([{"pattern": "{worker}.{env}.example.com", "worker": "{worker}", "environment": "{env}",
            "outbound": {"tenant": "x"}}]);
        let wrong = problems(|it| it["vars"] = json!({"ROUTES": rule}));
        for environment in Environment::ALL {
            assert!(wrong.contains(environment.binding()), "{wrong}");
        }
        let mut configuration = valid();
        configuration["vars"] =
            json!({"ROUTES": [{"pattern": "a.example.com", "worker": "a", "outbound": {"tenant": "x"}}]});
        assert!(check(&configuration).is_err());
        configuration["dispatch_namespaces"][0]["outbound"] =
            json!({"service": "outbound", "parameters": ["tenant"]});
        check(&configuration).unwrap();
    }

    #[test]
    fn what_only_a_developers_machine_sets_is_refused() {
        let wrong = problems(|it| it["vars"] = json!({"LOCALHOST": "do"}));
        assert!(wrong.contains("LOCALHOST"), "{wrong}");
    }
}
