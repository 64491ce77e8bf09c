//! Environment isolation, told from the host's text alone: a second opinion that shares no code with the routing.

use dotdo_names::Environment;

/// The host in a URL's text, in lower case, without user information, port and one trailing dot.
pub fn host_of(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host_and_port = authority.split('@').next_back()?;
    let host = host_and_port.split(':').next()?;
    Some(host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase())
}

/// The environments that a host names: a label but the last, or a part of one between `--`, is an environment's.
pub fn environments_of(host: &str) -> Vec<Environment> {
    let mut labels: Vec<&str> = host.split('.').collect();
    labels.pop();
    let mut environments = Vec::new();
    for label in labels {
        for part in label.split("--") {
            match part {
                "staging" => environments.push(Environment::Staging),
                "dev" | "development" => environments.push(Environment::Development),
                _ => {}
            }
        }
    }
    environments
}

/// Whether the platform's own rules, as the design's table has them, see an environment that does not exist in a host
/// under `.do` (or `.localhost`).
pub fn names_unknown_environment(host: &str) -> bool {
    let known = |label: &str| matches!(label, "staging" | "dev" | "development");
    let labels: Vec<&str> = host.split('.').collect();
    match labels.as_slice() {
        // `agents--qa.apis.do`
        [first, "apis", _] if first.contains("--") => {
            !first.rsplit_once("--").is_some_and(|(_, label)| known(label))
        }
        // `agents.apis.do`, `www.agents.do`
        [_, "apis", _] | ["www", _, _] => false,
        // `qa.agents.do`, `agents.qa.do`
        [first, second, _] => !known(first) && !known(second),
        _ => false,
    }
}
