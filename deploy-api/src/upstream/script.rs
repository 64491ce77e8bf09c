//! The calls about one script of a namespace or of the account.

use dotdo_names::{ACCOUNT_ID, Environment};

use super::{Method, UpstreamRequest};
use crate::target::Target;

/// The path of the account's dispatch namespaces, followed by `rest`.
fn namespaces(rest: &[&str]) -> Vec<String> {
    ["accounts", ACCOUNT_ID, "workers", "dispatch", "namespaces"]
        .iter()
        .chain(rest)
        .map(|segment| (*segment).to_owned())
        .collect()
}

/// A call about the namespaces, or one of them.
#[must_use]
pub fn namespace(environment: Option<Environment>) -> UpstreamRequest {
    let name = environment.map(Environment::namespace);
    UpstreamRequest::new(Method::Get, namespaces(name.as_slice()))
}

/// The list of a namespace's scripts.
#[must_use]
pub fn scripts(environment: Environment) -> UpstreamRequest {
    UpstreamRequest::new(Method::Get, namespaces(&[environment.namespace(), "scripts"]))
}

/// A call about a script, or with `rest` about a part of it.
#[must_use]
pub fn script(method: Method, target: &Target, rest: &[&str]) -> UpstreamRequest {
    if target.is_in_account() {
        let path = [&["workers", "scripts", target.worker.as_str()], rest].concat();
        return account(method, &path);
    }
    let mut path = vec![target.namespace(), "scripts", target.worker.as_str()];
    path.extend(rest);
    UpstreamRequest::new(method, namespaces(&path))
}

/// A call about the account itself.
#[must_use]
pub fn account(method: Method, rest: &[&str]) -> UpstreamRequest {
    UpstreamRequest::new(method, ["accounts", ACCOUNT_ID].iter().chain(rest).copied())
}
