use crate::{code::Code, problem::Problem};

/// The error for a call that is not on the list, with what to do instead. `segments` is the path, with or without the
/// leading `accounts/{account}`.
pub fn refused(method: &str, segments: &[&str]) -> Problem {
    let (code, detail, fix) = match (method, segments) {
        (_, ["workers", "scripts", _, "tails", ..]) => (
            Code::TailRefused,
            "wrangler tail reaches only Workers of the account, not Workers in a namespace.",
            "Read the Worker's log in the dashboard (Workers for Platforms, the namespace, Logs), or send it somewhere \
             with `tail_consumers`.",
        ),
        (
            "DELETE",
            ["workers", "services" | "scripts", _] | ["workers", "dispatch", "namespaces", _, "scripts", ..],
        )
        | ("GET", ["workers", "scripts", _, "references"] | ["workers", "tails", "by-consumer", _]) => (
            Code::DeleteRefused,
            "wrangler delete would delete a Worker of the account, and knows nothing of namespaces.",
            "Call DELETE /v1/namespaces/{namespace}/workers/{worker} of this API.",
        ),
        (_, ["workers", "scripts", _, "versions" | "deployments", ..] | ["workers", "deployments", ..]) => (
            Code::VersionsRefused,
            "wrangler versions, deployments and rollback know only Workers of the account.",
            "Call GET /v1/namespaces/{namespace}/workers/{worker}/deployments, or POST …/rollback, of this API. If it was \
             wrangler deploy: name a namespace, --dispatch-namespace dotdo-production (or dotdo-staging, \
             dotdo-development).",
        ),
        ("POST" | "PUT" | "PATCH" | "DELETE", ["workers", "dispatch", "namespaces"])
        | ("PUT" | "PATCH" | "DELETE", ["workers", "dispatch", "namespaces", _]) => (
            Code::NamespaceChangeRefused,
            "Dispatch namespaces are not created, renamed or deleted here: deleting one drops every Worker in it.",
            "Ask an operator of the account, who does it in the dashboard.",
        ),
        (_, ["workers", "scripts" | "services" | "subdomain", ..]) => (
            Code::AccountWorkerRefused,
            "This call is about a Worker of the account itself, the dispatcher and this API among them.",
            "Deploy into a namespace: wrangler deploy --dispatch-namespace dotdo-production (or dotdo-staging, \
             dotdo-development).",
        ),
        (
            "POST" | "PUT" | "PATCH" | "DELETE",
            [
                "storage" | "d1" | "r2" | "queues" | "workflows" | "vectorize" | "hyperdrive",
                ..,
            ],
        ) => (
            Code::ResourceChangeRefused,
            "Resources of the account are not created or changed on the way of a deploy.",
            "Have an operator create it, and write its id into the binding in the wrangler configuration.",
        ),
        _ => (
            Code::CallUnknown,
            "This call of the Cloudflare API is not one that the deploy API serves.",
            "See the list of calls in docs/deploy-api.md; what wrangler cannot do here is under /v1.",
        ),
    };
    Problem::new(code, detail, fix)
}
