//! Whether each route of `wrangler.jsonc` brings requests that some rule serves.

use dispatcher::routing::{Outcome, Router};
use serde_json::Value;

use super::elements;

/// Names that stand for any in an example of a host.
const NAMES: [&str; 4] = ["", "example.", "staging.", "www."];

/// A route's pattern, as Cloudflare reads it: `*` is any text, in front of the host and at the end of the path.
#[derive(Debug, PartialEq, Eq)]
struct RoutePattern<'c> {
    /// Whether more may stand in front of the host.
    wild: bool,
    /// The host, without a `*` in front; a dot in front of it remains.
    host: &'c str,
    path: &'c str,
}

impl<'c> RoutePattern<'c> {
    fn parse(text: &'c str) -> Self {
        let text = text.split_once("://").map_or(text, |(_, behind)| behind);
        let at = text.find('/').unwrap_or(text.len());
        let (host, path) = text.split_at(at);
        Self {
            wild: host.starts_with('*'),
            host: host.trim_start_matches('*'),
            path: path.trim_end_matches('*'),
        }
    }

    /// Any host at all: for custom hostnames.
    fn is_any_host(&self) -> bool {
        self.wild && self.host.is_empty()
    }

    /// Whether a request for that host and path comes by this route.
    fn brings(&self, host: &str, path: &str) -> bool {
        let host_fits = if self.wild {
            host.ends_with(self.host)
        } else {
            host == self.host
        };
        host_fits && path.starts_with(self.path)
    }

    /// URLs that come by this route.
    fn examples(&self, router: &Router) -> Vec<String> {
        let path = if self.path.is_empty() { "/" } else { self.path };
        let mut hosts = vec![self.host.trim_start_matches('.').to_owned()];
        if self.wild {
            hosts = NAMES
                .iter()
                .map(|name| match self.host.strip_prefix('.') {
                    Some(_) => format!("{}{}", name.trim_end_matches('.'), self.host),
                    None => format!("{name}{}", self.host),
                })
                .collect();
        }
        let own = hosts.into_iter().map(|host| format!("https://{host}{path}"));
        let of_rules = router.rules().iter().flat_map(|rule| {
            let (host, path) = rule.pattern().split_once('/').unwrap_or((rule.pattern(), ""));
            let path = format!("/{}", path.trim_end_matches('*'));
            ["example", "staging"].map(|name| (filled(host, name), filled(&path, name)))
        });
        let of_rules = of_rules
            .filter(|(host, path)| self.brings(host, path))
            .map(|(host, path)| format!("https://{host}{path}"));
        own.chain(of_rules).collect()
    }
}

/// A pattern's text with `name` in the place of each capture but `{env}`.
fn filled(pattern: &str, name: &str) -> String {
    let mut filled = String::new();
    let mut rest = pattern;
    while let Some((before, behind)) = rest.split_once('{') {
        let (capture, next) = behind.split_once('}').unwrap_or((behind, ""));
        filled.push_str(before);
        filled.push_str(if capture == "env" { "staging" } else { name });
        rest = next;
    }
    filled + rest
}

/// Checks every route, and gives their number.
pub fn check(configuration: &Value, router: &Router, problems: &mut Vec<String>) -> usize {
    let single = configuration.get("route").into_iter();
    let written: Vec<&Value> = elements(configuration, "/routes").iter().chain(single).collect();
    for route in &written {
        if let Err(problem) = check_route(configuration, route, router) {
            problems.push(problem);
        }
    }
    written.len()
}

fn check_route(configuration: &Value, route: &Value, router: &Router) -> Result<(), String> {
    let text = route
        .as_str()
        .or_else(|| route["pattern"].as_str())
        .ok_or_else(|| format!("the route {route} has no \"pattern\""))?;
    let pattern = RoutePattern::parse(text);
    if pattern.is_any_host() {
        let has_hostnames = elements(configuration, "/kv_namespaces")
            .iter()
            .any(|entry| entry["binding"] == "HOSTNAMES");
        return if has_hostnames {
            Ok(())
        } else {
            Err(format!(
                "the route `{text}` is for custom hostnames, and those need a KV namespace: add the binding HOSTNAMES to \
                 \"kv_namespaces\""
            ))
        };
    }
    if let Some(zone) = route["zone_name"].as_str()
        && !in_zone(pattern.host.trim_start_matches('.'), zone)
    {
        return Err(format!("the route `{text}` is not in its zone `{zone}`"));
    }
    let mut reason = String::new();
    for url in pattern.examples(router) {
        match router.explain(&url).outcome {
            Outcome::Route(_) => return Ok(()),
            Outcome::Refusal(refusal) if reason.is_empty() => {
                reason = format!("{url} gets {}: {}", refusal.code, refusal.reason);
            }
            Outcome::Refusal(_) => {}
        }
    }
    Err(format!(
        "no rule serves the route `{text}` ({reason}): add a rule for it to ROUTES, or remove the route"
    ))
}

fn in_zone(host: &str, zone: &str) -> bool {
    host == zone || host.strip_suffix(zone).is_some_and(|front| front.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use dispatcher::routing::Localhost;
    use serde_json::json;

    use super::*;

    fn problems(configuration: &Value) -> String {
        let variable = &configuration["routes_variable"];
        let router = if variable.is_null() {
            Router::builtin(Localhost::Unserved)
        } else {
            Router::with_routes(&variable.to_string(), Localhost::Unserved).unwrap()
        };
        let mut problems = Vec::new();
        check(configuration, &router, &mut problems);
        problems.join("\n")
    }

    #[test]
    fn zones_under_do_are_served_by_the_built_in_rules() {
        let routes = json!([
            {"pattern": "agents.do/*", "zone_name": "agents.do"},
            {"pattern": "*.agents.do/*", "zone_name": "agents.do"},
            "apis.do/*",
            "*apis.do/*",
            {"pattern": "https://*.apis.do/*", "zone_id": "0"},
            {"pattern": "functions.do", "custom_domain": true},
        ]);
        assert_eq!(problems(&json!({ "routes": routes })), "");
        assert_eq!(problems(&json!({"route": "agents.do/*"})), "");
    }

    #[test]
    fn a_zone_that_no_rule_serves_is_named_with_the_reason() {
        let wrong = problems(&json!({"routes": ["*.example.com/*"]}));
        assert!(
            wrong.contains("`*.example.com/*`") && wrong.contains("HOST_UNKNOWN"),
            "{wrong}"
        );
        let wrong = problems(&json!({"routes": [{"pattern": "com.do/*", "zone_name": "com.do"}]}));
        assert!(
            wrong.contains("`com.do/*`") && wrong.contains("WORKER_NAME_INVALID"),
            "{wrong}"
        );
        let wrong = problems(&json!({"route": {"pattern": "evilagents.example/*"}}));
        assert!(wrong.contains("evilagents.example"), "{wrong}");
    }

    #[test]
    fn rules_of_ones_own_serve_their_zones() {
        let rules = json!([
            {"pattern": "{tenant}.{app}.example.com/v1/*", "worker": "{tenant}-{app}"},
            {"pattern": "shop.example.org", "worker": "shop"},
        ]);
        let served = json!(["*.example.com/*", "shop.example.org/*"]);
        assert_eq!(problems(&json!({"routes_variable": rules, "routes": served})), "");
        let wrong = problems(&json!({"routes_variable": rules, "routes": ["other.example.org/*"]}));
        assert!(wrong.contains("other.example.org"), "{wrong}");
        let wrong = problems(&json!({"routes_variable": rules, "routes": ["*.example.com/v2/*"]}));
        assert!(wrong.contains("*.example.com/v2/*"), "{wrong}");
    }

    #[test]
    fn the_route_for_custom_hostnames_needs_the_kv_namespace() {
        let saas = json!([{"pattern": "*/*", "zone_name": "customers.example"}]);
        assert!(problems(&json!({ "routes": saas })).contains("HOSTNAMES"));
        let bound = json!({"routes": saas, "kv_namespaces": [{"binding": "HOSTNAMES", "id": "0"}]});
        assert_eq!(problems(&bound), "");
    }

    #[test]
    fn a_route_stands_in_its_zone() {
        let wrong = problems(&json!({"routes": [{"pattern": "evilagents.do/*", "zone_name": "agents.do"}]}));
        assert!(wrong.contains("not in its zone `agents.do`"), "{wrong}");
        assert!(problems(&json!({"routes": [{"zone_name": "agents.do"}]})).contains("no \"pattern\""));
    }
}
