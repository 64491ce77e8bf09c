//! Checks the routes of `wrangler.jsonc`: Cloudflare accepts each pattern, a rule serves each route, and together the
//! routes cover the zones of `dotdo.jsonc`.

use dispatcher::routing::{Outcome, Router};
use serde_json::Value;
use wrangler_config::{ANY_HOST, Zones, zone_patterns};

use super::{
    bindings_of, elements,
    problems::Problems,
    route_pattern::{Pattern, intended_pattern},
};

/// A route of the configuration.
struct Route<'c> {
    pointer: String,
    value: &'c Value,
    text: &'c str,
}

/// Checks every route, and returns their number. `router` is absent if the rules cannot be loaded.
pub fn check(
    configuration: &Value,
    router: Option<&Router>,
    zones: Zones<'_>,
    problems: &mut Problems,
) -> usize {
    if configuration.get("route").is_some() && configuration.get("routes").is_some() {
        problems.add(
            "/route",
            "wrangler takes either \"route\" or \"routes\": write only \"routes\"",
        );
    }
    let written = written_routes(configuration, problems);
    let mut patterns = Vec::new();
    for (index, route) in written.iter().enumerate() {
        let earlier = written.iter().take(index).find(|other| other.text == route.text);
        if earlier.is_some() {
            problems.add(
                route.pointer.as_str(),
                format!("the route \"{}\" occurs twice: remove one", route.text),
            );
            continue;
        }
        if route.value["custom_domain"] == true {
            check_custom_domain(route, router, zones, problems);
            continue;
        }
        match Pattern::parse(route.text) {
            Err(message) => problems.add(route.pointer.as_str(), message),
            Ok(pattern) => {
                check_pattern(configuration, route, &pattern, router, zones, problems);
                patterns.push(pattern);
            }
        }
    }
    check_zones(&patterns, &written, zones, problems);
    written.len()
}

fn written_routes<'c>(configuration: &'c Value, problems: &mut Problems) -> Vec<Route<'c>> {
    let listed = elements(configuration, "/routes").iter().enumerate();
    let listed = listed.map(|(index, value)| (format!("/routes/{index}"), value));
    let single = configuration.get("route").into_iter();
    let single = single.map(|value| ("/route".to_owned(), value));
    let mut routes = Vec::new();
    for (pointer, value) in listed.chain(single) {
        match value.as_str().or_else(|| value["pattern"].as_str()) {
            Some(text) => {
                let pointer = if value.is_string() {
                    pointer
                } else {
                    format!("{pointer}/pattern")
                };
                routes.push(Route { pointer, value, text });
            }
            None => problems.add(
                format!("{pointer}/pattern"),
                "the route has no pattern: write one such as \"agents.do/*\"",
            ),
        }
    }
    routes
}

/// A custom domain is a host, all of whose requests go to the Worker.
fn check_custom_domain(
    route: &Route<'_>,
    router: Option<&Router>,
    zones: Zones<'_>,
    problems: &mut Problems,
) {
    let host = route.text;
    if host.contains(['/', '*', ':', '?']) {
        problems.add(
            route.pointer.as_str(),
            format!("\"{host}\" is a custom domain, which is a host without `*`, port and path"),
        );
        return;
    }
    check_host_in_zones(route, host, zones, problems);
    let url = format!("https://{host}/");
    if let Some(router) = router
        && let Outcome::Refusal(refusal) = router.explain(&url).outcome
    {
        let reason = format!("{url} gets {}: {}", refusal.code, refusal.reason);
        problems.add(route.pointer.as_str(), not_served(host, &reason));
    }
}

fn check_pattern(
    configuration: &Value,
    route: &Route<'_>,
    pattern: &Pattern<'_>,
    router: Option<&Router>,
    zones: Zones<'_>,
    problems: &mut Problems,
) {
    if pattern.wildcard && pattern.host.is_empty() {
        check_any_host(configuration, route, zones, problems);
        return;
    }
    check_host_in_zones(route, pattern.host.trim_start_matches('.'), zones, problems);
    let Some(router) = router else { return };
    let mut reason = String::new();
    for url in pattern.examples(router) {
        match router.explain(&url).outcome {
            Outcome::Route(_) => return,
            Outcome::Refusal(refusal) if reason.is_empty() => {
                reason = format!("{url} gets {}: {}", refusal.code, refusal.reason);
            }
            Outcome::Refusal(_) => {}
        }
    }
    problems.add(route.pointer.as_str(), not_served(route.text, &reason));
}

fn not_served(route: &str, reason: &str) -> String {
    format!("no rule serves the route \"{route}\" ({reason}): add a rule to ROUTES, or remove the route")
}

fn check_any_host(configuration: &Value, route: &Route<'_>, zones: Zones<'_>, problems: &mut Problems) {
    if !bindings_of(configuration, "kv_namespaces").any(|name| name == "HOSTNAMES") {
        problems.add(
            route.pointer.as_str(),
            format!(
                "the route \"{}\" is for custom hostnames, which need a KV namespace: add the binding HOSTNAMES to \
                 \"kv_namespaces\"",
                route.text
            ),
        );
    }
    let written = route.value["zone_name"].as_str();
    match (written, zones.custom_hostnames) {
        (Some(zone), Some(expected)) if zone != expected => problems.add(
            zone_pointer(route),
            format!("\"{zone}\" is not \"custom_hostname_zone\" of dotdo.jsonc: write \"{expected}\""),
        ),
        (Some(zone), None) => problems.add(
            zone_pointer(route),
            format!(
                "dotdo.jsonc has no \"custom_hostname_zone\": add \"custom_hostname_zone\": \"{zone}\" there"
            ),
        ),
        _ => {}
    }
}

fn zone_pointer(route: &Route<'_>) -> String {
    route.pointer.replace("/pattern", "/zone_name")
}

/// Checks that a route is in its own zone, and that its zone is in `dotdo.jsonc`.
fn check_host_in_zones(route: &Route<'_>, host: &str, zones: Zones<'_>, problems: &mut Problems) {
    let written = route.value["zone_name"].as_str();
    if let Some(zone) = written
        && !is_in_zone(host, zone)
    {
        problems.add(
            zone_pointer(route),
            format!(
                "the route \"{}\" is not in the zone \"{zone}\": correct one of them",
                route.text
            ),
        );
        return;
    }
    let listed = match written {
        Some(zone) => zones.routed.contains(&zone),
        None => zones.routed.iter().any(|zone| is_in_zone(host, zone)),
    };
    if !listed {
        let zone = written.unwrap_or(host);
        problems.add(
            route.pointer.as_str(),
            format!(
                "the zone \"{zone}\" is not in \"zones\" of dotdo.jsonc: add it there, or remove the route"
            ),
        );
    }
}

fn is_in_zone(host: &str, zone: &str) -> bool {
    host == zone || host.strip_suffix(zone).is_some_and(|front| front.ends_with('.'))
}

/// Checks that every zone of `dotdo.jsonc` has its routes.
fn check_zones(patterns: &[Pattern<'_>], routes: &[Route<'_>], zones: Zones<'_>, problems: &mut Problems) {
    for zone in zones.routed {
        let covers_apex = patterns.iter().any(|it| it.covers_apex(zone));
        let covers_hosts_below = patterns.iter().any(|it| it.covers_hosts_below(zone));
        let [of_apex, of_hosts_below] = zone_patterns(zone);
        for (what, pattern, is_covered) in [
            ("the apex", of_apex, covers_apex),
            ("the hosts below the apex", of_hosts_below, covers_hosts_below),
        ] {
            // The mistake in the pattern is a separate problem.
            let is_misspelt = routes
                .iter()
                .any(|route| Pattern::parse(route.text).is_err() && intended_pattern(route.text) == pattern);
            if !is_covered && !is_misspelt {
                problems.add(
                    "/routes",
                    format!(
                        "no route covers {what} of the zone \"{zone}\" of dotdo.jsonc: add {{ \"pattern\": \"{pattern}\", \
                         \"zone_name\": \"{zone}\" }}"
                    ),
                );
            }
        }
    }
    if let Some(zone) = zones.custom_hostnames
        && !routes.iter().any(|route| route.text == ANY_HOST)
    {
        problems.add(
            "/routes",
            format!(
                "no route covers custom hostnames, whose zone in dotdo.jsonc is \"{zone}\": add {{ \"pattern\": \
                 \"{ANY_HOST}\", \"zone_name\": \"{zone}\" }}"
            ),
        );
    }
}

#[cfg(test)]
mod tests {
    use dispatcher::routing::Localhost;
    use serde_json::json;

    use super::*;

    const NO_ZONES: Zones<'static> = Zones {
        routed: &[],
        custom_hostnames: None,
    };

    fn router(rules: &Value) -> Router {
        if rules.is_null() {
            Router::builtin(Localhost::Unserved)
        } else {
            Router::with_routes(&rules.to_string(), Localhost::Unserved).unwrap()
        }
    }

    fn problems(configuration: &Value, zones: Zones<'_>) -> Vec<String> {
        let router = router(&configuration["rules"]);
        let mut problems = Problems::default();
        check(configuration, Some(&router), zones, &mut problems);
        problems.into_vec().iter().map(ToString::to_string).collect()
    }

    /// The problems of a route whose zone is listed.
    fn problems_of(route: &Value, routed: &[&str]) -> Vec<String> {
        let zones = Zones {
            routed,
            custom_hostnames: None,
        };
        let mut found = problems(&json!({ "routes": [route] }), zones);
        found.retain(|problem| !problem.starts_with("routes: no route covers"));
        found
    }

    #[test]
    fn accepts_routes_that_the_built_in_rules_serve() {
        for route in [
            json!({"pattern": "agents.do/*", "zone_name": "agents.do"}),
            json!({"pattern": "*.agents.do/*", "zone_name": "agents.do"}),
            json!("agents.do/*"),
            json!("*agents.do/*"),
            json!("agents.do/api/*"),
            json!("agents.do/api*"),
            json!({"pattern": "https://*.agents.do/*", "zone_id": "0"}),
            json!({"pattern": "agents.do", "custom_domain": true}),
        ] {
            assert_eq!(problems_of(&route, &["agents.do"]), [""; 0], "{route}");
        }
    }

    #[test]
    fn rejects_a_pattern_that_does_not_match_all_paths() {
        for (pattern, expected) in [
            ("agents.do", "\"agents.do/*\""),
            ("*.agents.do", "\"*.agents.do/*\""),
            ("https://agents.do", "\"agents.do/*\""),
            ("agents.do*", "\"agents.do/*\""),
            ("agents.do/", "\"agents.do/*\""),
            ("agents.do/x", "\"agents.do/*\""),
            ("http://*.agents.do/x", "\"*.agents.do/*\""),
            ("ftp://agents.do/*", "unknown scheme"),
            ("agents.do:443/*", "has no port"),
            ("a*.agents.do/*", "one `*` in front"),
            ("**.agents.do/*", "one `*` in front"),
            ("/*", "host name"),
            ("agents.do/*/x/*", "more than one `*`"),
            ("agents.do/x?y=*", "a query"),
        ] {
            for route in [
                json!(pattern),
                json!({"pattern": pattern, "zone_name": "agents.do"}),
            ] {
                let found = problems_of(&route, &["agents.do"]);
                assert_eq!(found.len(), 1, "{pattern}: {found:?}");
                assert!(found[0].contains(expected), "{pattern}: {found:?}");
                assert!(found[0].starts_with("routes[0]"), "{pattern}: {found:?}");
            }
        }
        let domain = json!({"pattern": "agents.do/*", "custom_domain": true});
        assert!(problems_of(&domain, &["agents.do"])[0].contains("custom domain"));
        let none = problems_of(&json!({"zone_name": "agents.do"}), &["agents.do"]);
        assert!(none[0].contains("the route has no pattern"), "{none:?}");
    }

    #[test]
    fn rejects_a_route_that_no_rule_serves() {
        for (pattern, zone, code) in [
            ("*.example.com/*", "example.com", "HOST_UNKNOWN"),
            ("com.do/*", "com.do", "WORKER_NAME_INVALID"),
            ("evilagents.example/*", "evilagents.example", "HOST_UNKNOWN"),
        ] {
            let found = problems_of(&json!({"pattern": pattern, "zone_name": zone}), &[zone]);
            assert!(
                found[0].contains(&format!("\"{pattern}\"")) && found[0].contains(code),
                "{found:?}"
            );
        }
        let domain = json!({"pattern": "com.do", "custom_domain": true});
        assert!(problems_of(&domain, &["com.do"])[0].contains("WORKER_NAME_INVALID"));
    }

    #[test]
    fn rules_of_the_variable_serve_their_routes() {
        let rules = json!([
            {"pattern": "{tenant}.{app}.example.com/v1/*", "worker": "{tenant}-{app}"},
            {"pattern": "shop.example.org", "worker": "shop"},
        ]);
        for (route, served) in [
            ("*.example.com/v1/*", true),
            ("shop.example.org/*", true),
            ("other.example.org/*", false),
            ("*.example.com/v2/*", false),
        ] {
            let configuration = json!({"rules": rules, "routes": [route]});
            let found = problems(&configuration, NO_ZONES).join("\n");
            assert_eq!(!found.contains("no rule serves"), served, "{route}: {found}");
        }
    }

    #[test]
    fn routes_and_zones_agree() {
        let zones = Zones {
            routed: &["agents.do", "apis.do"],
            custom_hostnames: None,
        };
        let complete = json!(["agents.do/*", "*.agents.do/*", "*apis.do/*"]);
        assert_eq!(problems(&json!({ "routes": complete }), zones), [""; 0]);

        let incomplete = json!([
            "agents.do/*",
            "https://*.agents.do/*",
            "*.apis.do/api/*",
            "x.apis.do/*"
        ]);
        let found = problems(&json!({ "routes": incomplete }), zones);
        assert_eq!(found.len(), 3, "{found:#?}");
        for (problem, pattern) in found.iter().zip(["*.agents.do/*", "apis.do/*", "*.apis.do/*"]) {
            assert!(
                problem.contains(&format!("add {{ \"pattern\": \"{pattern}\"")),
                "{found:#?}"
            );
        }

        let found = problems(&json!({}), zones);
        assert_eq!(found.len(), 4, "{found:#?}");

        // A mistake in the pattern is reported once.
        let found = problems(
            &json!({"routes": ["agents.do", "*.agents.do/*", "*apis.do/*"]}),
            zones,
        );
        assert_eq!(found.len(), 1, "{found:#?}");

        for route in [
            json!({"pattern": "tasks.do/*", "zone_name": "tasks.do"}),
            json!("tasks.do/*"),
            json!({"pattern": "tasks.do", "custom_domain": true}),
        ] {
            let found = problems_of(&route, &["agents.do"]);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(
                found[0].contains("\"tasks.do\" is not in \"zones\" of dotdo.jsonc"),
                "{found:?}"
            );
        }
    }

    #[test]
    fn the_route_for_custom_hostnames_needs_its_zone_and_the_kv_namespace() {
        let zones = Zones {
            routed: &[],
            custom_hostnames: Some("customers.example"),
        };
        let routes = json!([{"pattern": "*/*", "zone_name": "customers.example"}]);
        let found = problems(&json!({ "routes": routes }), zones);
        assert!(found.len() == 1 && found[0].contains("HOSTNAMES"), "{found:?}");

        let bound = json!({"routes": routes, "kv_namespaces": [{"binding": "HOSTNAMES", "id": "0"}]});
        assert_eq!(problems(&bound, zones), [""; 0]);
        assert!(problems(&bound, NO_ZONES)[0].contains("has no \"custom_hostname_zone\""));
        let other = Zones {
            routed: &[],
            custom_hostnames: Some("other.example"),
        };
        let found = problems(&bound, other);
        assert!(
            found[0].starts_with("routes[0].zone_name") && found[0].contains("other.example"),
            "{found:?}"
        );
        assert!(problems(&json!({}), zones)[0].contains("no route covers custom hostnames"));
    }

    #[test]
    fn rejects_a_route_outside_of_its_zone_and_a_repeated_one() {
        let wrong = json!({"pattern": "evilagents.do/*", "zone_name": "agents.do"});
        let found = problems_of(&wrong, &["agents.do"]);
        assert!(found[0].contains("not in the zone \"agents.do\""), "{found:?}");

        let zones = Zones {
            routed: &["agents.do"],
            custom_hostnames: None,
        };
        let routes = json!(["*agents.do/*", {"pattern": "*agents.do/*", "zone_name": "agents.do"}]);
        let found = problems(&json!({ "routes": routes }), zones);
        assert!(found.len() == 1 && found[0].contains("occurs twice"), "{found:?}");
        let both = json!({"route": "agents.do/*", "routes": ["*agents.do/*"]});
        let found = problems(&both, zones);
        assert!(
            found.len() == 1 && found[0].contains("write only \"routes\""),
            "{found:?}"
        );
    }
}
