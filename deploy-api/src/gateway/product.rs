//! The products of Cloudflare whose resources wrangler looks up during a deploy.

/// A product with resources that a binding names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// AI Search namespaces.
    AiSearch,
    /// Agent Memory namespaces.
    AgentMemory,
    /// D1 databases.
    D1,
    /// Flagship apps.
    Flagship,
    /// Hyperdrive configurations.
    Hyperdrive,
    /// KV namespaces.
    Kv,
    /// Queues.
    Queues,
    /// R2 buckets.
    R2,
    /// Vectorize indexes.
    Vectorize,
}

/// What the gateway knows of a product.
pub(super) struct Traits {
    /// The path of the list of the resources, below the account's.
    pub path: &'static [&'static str],
    /// One resource, with its article.
    pub one: &'static str,
    /// The members of a resource that are returned.
    pub shown: &'static [&'static str],
    /// The member of the result that contains the list, if the result is not the list itself.
    pub list: Option<&'static str>,
    /// Cloudflare's code for a resource that does not exist.
    pub absent: u32,
    /// The permission of Cloudflare's token that the look-up needs.
    pub permission: &'static str,
    /// How to create a resource.
    pub create: &'static str,
    /// Where its name or id is written in the configuration of wrangler.
    pub field: &'static str,
}

impl Product {
    /// All products.
    pub const ALL: [Self; 9] = [
        Self::AiSearch,
        Self::AgentMemory,
        Self::D1,
        Self::Flagship,
        Self::Hyperdrive,
        Self::Kv,
        Self::Queues,
        Self::R2,
        Self::Vectorize,
    ];

    /// The product of a path below the account's.
    pub(super) fn of_path(segments: &[&str]) -> Option<Self> {
        let first = segments.first()?;
        Self::ALL
            .into_iter()
            .find(|product| product.traits().path.first() == Some(first))
    }

    /// The product of a path below one of its resources, below the account's: `storage/kv/namespaces/ID/values/KEY`.
    pub(super) fn content_of_path(segments: &[&str]) -> Option<Self> {
        Self::of_path(segments).filter(|product| {
            let list = product.traits().path;
            segments.starts_with(list) && segments.len() > list.len() + 1
        })
    }

    pub(super) const fn traits(self) -> Traits {
        match self {
            Self::AiSearch => Traits {
                path: &["ai-search", "namespaces"],
                one: "an AI Search namespace",
                shown: &["id", "name"],
                list: None,
                absent: 7002,
                permission: "AI Search: Read",
                create: "in the dashboard",
                field: "ai_search_namespaces[].namespace",
            },
            Self::AgentMemory => Traits {
                path: &["agent-memory", "namespaces"],
                one: "an Agent Memory namespace",
                shown: &["id", "name"],
                list: None,
                absent: 7002,
                permission: "Agent Memory: Read",
                create: "in the dashboard",
                field: "agent_memory[].namespace",
            },
            Self::D1 => Traits {
                path: &["d1", "database"],
                one: "a D1 database",
                shown: &["uuid", "name"],
                list: None,
                absent: 7404,
                permission: "D1: Read",
                create: "with `npx wrangler d1 create NAME`",
                field: "d1_databases[].database_id",
            },
            Self::Flagship => Traits {
                path: &["flagship", "apps"],
                one: "a Flagship app",
                shown: &["id", "name"],
                list: None,
                absent: 7002,
                permission: "Flagship: Read",
                create: "in the dashboard",
                field: "flagship[].app_id",
            },
            Self::Hyperdrive => Traits {
                path: &["hyperdrive", "configs"],
                one: "a Hyperdrive configuration",
                shown: &["id", "name"],
                list: None,
                absent: 7002,
                permission: "Hyperdrive: Read",
                create: "with `npx wrangler hyperdrive create NAME --connection-string=…`",
                field: "hyperdrive[].id",
            },
            Self::Kv => Traits {
                path: &["storage", "kv", "namespaces"],
                one: "a KV namespace",
                shown: &["id", "title"],
                list: None,
                absent: 10013,
                permission: "Workers KV Storage: Read",
                create: "with `npx wrangler kv namespace create NAME`",
                field: "kv_namespaces[].id",
            },
            Self::Queues => Traits {
                path: &["queues"],
                one: "a queue",
                shown: &["queue_id", "queue_name"],
                list: None,
                absent: 11000,
                permission: "Queues: Read",
                create: "with `npx wrangler queues create NAME`",
                field: "queues.producers[].queue",
            },
            Self::R2 => Traits {
                path: &["r2", "buckets"],
                one: "an R2 bucket",
                shown: &[
                    "name",
                    "creation_date",
                    "location",
                    "storage_class",
                    "jurisdiction",
                ],
                list: Some("buckets"),
                absent: 10006,
                permission: "Workers R2 Storage: Read",
                create: "with `npx wrangler r2 bucket create NAME`",
                field: "r2_buckets[].bucket_name",
            },
            Self::Vectorize => Traits {
                path: &["vectorize", "v2", "indexes"],
                one: "a Vectorize index",
                shown: &["name", "config"],
                list: None,
                absent: 3000,
                permission: "Vectorize: Read",
                create: "with `npx wrangler vectorize create NAME …`",
                field: "vectorize[].index_name",
            },
        }
    }

    /// What a developer does when a binding has no resource yet.
    pub(super) fn how_to_create(self) -> String {
        let Traits { create, field, .. } = self.traits();
        format!(
            "An operator of the account creates it {create}, with a login of Cloudflare and without CLOUDFLARE_API_BASE_URL. Then write \
             its name or id into `{field}` of the wrangler configuration, and deploy again."
        )
    }
}
