//! Bindings that name a resource. A deploy cannot create one, so the configuration must name it.

use serde_json::{Map, Value};

/// A kind of bindings that name a resource.
pub struct Kind {
    /// The JSON pointer of its bindings in a configuration.
    pub pointer: &'static str,
    /// The member that names the resource.
    member: &'static str,
    /// The command that lists the resources of the account.
    list: &'static str,
}

/// Every kind.
pub const KINDS: [Kind; 6] = [
    Kind {
        pointer: "/kv_namespaces",
        member: "id",
        list: "npx wrangler kv namespace list",
    },
    Kind {
        pointer: "/d1_databases",
        member: "database_id",
        list: "npx wrangler d1 list",
    },
    Kind {
        pointer: "/r2_buckets",
        member: "bucket_name",
        list: "npx wrangler r2 bucket list",
    },
    Kind {
        pointer: "/hyperdrive",
        member: "id",
        list: "npx wrangler hyperdrive list",
    },
    Kind {
        pointer: "/vectorize",
        member: "index_name",
        list: "npx wrangler vectorize list",
    },
    Kind {
        pointer: "/queues/producers",
        member: "queue",
        list: "npx wrangler queues list",
    },
];

impl Kind {
    /// The place of the bindings in a configuration, such as `queues.producers`.
    pub fn place(&self) -> String {
        self.pointer.trim_start_matches('/').replace('/', ".")
    }

    /// What is wrong with a binding that does not name its resource, and the fix.
    pub fn problem(&self, binding: &Map<String, Value>) -> Option<(String, String)> {
        let Self { member, list, .. } = self;
        let text = |name: &str| binding.get(name).and_then(Value::as_str);
        if text(member).is_some_and(|id| !id.is_empty()) {
            return None;
        }
        let name = text("binding").unwrap_or("the binding");
        Some((
            format!(
                "\"{name}\" has no \"{member}\". A deploy keeps the resource of the deployed Worker, but it cannot create one, \
                 so the first deploy fails unless wrangler finds one by its name."
            ),
            format!("Add \"{member}\"; `{list}` lists them, with your Cloudflare login."),
        ))
    }
}
