//! Environment isolation, determined from the host's text: an independent implementation that shares no code with
//! routing.

use dotdo_names::Environment;

/// The host in a URL's text, in lower case, without user information, port and one trailing dot.
pub fn host_of(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host_and_port = authority.split('@').next_back()?;
    let host = host_and_port.split(':').next()?;
    Some(host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase())
}

/// The environments that a host names: each label except the last, or a part of it between `--`, may be one.
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

/// Whether a host under `.do` (or `.localhost`) names an environment that does not exist, by the routing table of the
/// built-in rules.
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
