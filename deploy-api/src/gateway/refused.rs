use super::{path, product::Product};
use crate::{code::Code, problem::Problem};

/// The error for a call that is not on the list, with what to do instead. `segments` is the path, with or without the
/// leading `accounts/{account}`.
pub fn refused(method: &str, segments: &[&str]) -> Problem {
    let (code, detail, fix) = match (method, segments) {
        (_, ["workers", "scripts", _, "tails", ..]) => (
            Code::TailRefused,
            "wrangler tail supports only Workers of the account, not Workers in a namespace.",
            "Read the Worker's log in the dashboard (Workers for Platforms, the namespace, Logs), or send it somewhere \
             with `tail_consumers`.",
        ),
        (
            "DELETE",
            ["workers", "services" | "scripts", _] | ["workers", "dispatch", "namespaces", _, "scripts", ..],
        )
        | ("GET", ["workers", "scripts", _, "references"] | ["workers", "tails", "by-consumer", _]) => (
            Code::DeleteRefused,
            "wrangler delete deletes a Worker of the account; it does not support namespaces.",
            "Call DELETE /v1/namespaces/{namespace}/workers/{worker} of this API.",
        ),
        (_, ["workers", "scripts", _, "versions" | "deployments", ..] | ["workers", "deployments", ..]) => (
            Code::VersionsRefused,
            "wrangler versions, deployments and rollback support only Workers of the account.",
            "Call GET /v1/namespaces/{namespace}/workers/{worker}/deployments, or POST …/rollback, of this API. If it was \
             wrangler deploy: name a namespace, --dispatch-namespace dotdo-production (or dotdo-staging, \
             dotdo-development).",
        ),
        ("POST" | "PUT" | "PATCH" | "DELETE", ["workers", "dispatch", "namespaces"])
        | ("PUT" | "PATCH" | "DELETE", ["workers", "dispatch", "namespaces", _]) => (
            Code::NamespaceChangeRefused,
            "Dispatch namespaces cannot be created, renamed or deleted through this API: deleting one deletes every Worker in it.",
            "Ask an operator of the account to do it in the dashboard.",
        ),
        // Before `wrangler secret` sets a secret of a Worker that does not exist, it tries to create a Worker of the account.
        ("PUT", ["workers", "scripts", _]) => (
            Code::AccountWorkerRefused,
            "This call creates or replaces a Worker of the account, which is in no namespace.",
            "Deploy into a namespace: wrangler deploy --dispatch-namespace dotdo-production (or dotdo-staging, \
             dotdo-development). If it was wrangler secret: the Worker does not exist yet, and its first deploy sets its secrets \
             with --secrets-file FILE.",
        ),
        (_, ["workers", "scripts" | "services" | "subdomain", ..]) => (
            Code::AccountWorkerRefused,
            "This call is about a Worker of the account, such as the dispatch Worker or this API.",
            "Deploy into a namespace: wrangler deploy --dispatch-namespace dotdo-production (or dotdo-staging, \
             dotdo-development).",
        ),
        (_, path) if Product::content_of_path(path).is_some() => return content(method, path),
        ("POST" | "PUT" | "PATCH" | "DELETE", path) if Product::of_path(path).is_some() => {
            return resource_change(path);
        }
        (
            "POST" | "PUT" | "PATCH" | "DELETE",
            [
                "workflows" | "pipelines" | "secrets_store" | "mtls_certificates",
                ..,
            ],
        ) => (
            Code::ResourceChangeRefused,
            "A deploy cannot create or change resources of the account.",
            "Have an operator create it, and write its id into the binding in the wrangler configuration.",
        ),
        _ => (
            Code::CallUnknown,
            "The deploy API does not support this call of the Cloudflare API.",
            "See the list of calls in docs/deploy-api.md. For a command about your Cloudflare account, run `wrangler login`, and use a \
             shell and a folder without CLOUDFLARE_API_BASE_URL and CLOUDFLARE_API_TOKEN.",
        ),
    };
    Problem::new(code, detail, fix)
}

/// The error for a call about the content of a resource, such as `wrangler kv key put`, whose path may be encoded; `None` for another
/// path. `path` is the path of the URL.
pub fn refused_content(method: &str, path: &str) -> Option<Problem> {
    let below = path.strip_prefix(path::BASE)?.strip_prefix("/accounts/")?;
    let segments: Vec<&str> = below.split('/').skip(1).collect();
    let is_hostile = |segment: &&str| segment.bytes().all(|byte| byte == b'.');
    if segments.iter().any(is_hostile) {
        return None;
    }
    Product::content_of_path(&segments)?;
    Some(content(method, &segments))
}

fn content(method: &str, path: &[&str]) -> Problem {
    let one = Product::of_path(path).map_or("a resource", |product| product.traits().one);
    let code = match method {
        "GET" | "HEAD" => Code::CallUnknown,
        _ => Code::ResourceChangeRefused,
    };
    Problem::new(
        code,
        format!("The deploy API does not read or change the content of {one}."),
        "Run the command with your own Cloudflare login: run `wrangler login`, and use a shell and a folder without \
         CLOUDFLARE_API_BASE_URL and CLOUDFLARE_API_TOKEN.",
    )
}

/// The error for the creation of a resource. wrangler prints it when a binding has no id, or no resource has its name.
fn resource_change(path: &[&str]) -> Problem {
    let (one, fix) = Product::of_path(path).map_or_else(
        || ("the resource", String::new()),
        |product| (product.traits().one, product.how_to_create()),
    );
    Problem::new(
        Code::ResourceChangeRefused,
        format!(
            "wrangler tries to create or change {one}, because a binding has no id or no resource has its name. A deploy cannot do this."
        ),
        fix,
    )
}
