//! The deploys with each kind of binding whose requests the golden files list, and the resources that they name.

use anyhow::Result;
use dotdo_names::Environment::Staging;
use end_to_end::{Project, Relay, wrangler::Version};
use serde_json::{Value, json};

use crate::{
    wrangler_deploys::named,
    wrangler_sessions::{Session, deploy},
};

const KV_ID: &str = "0123456789abcdef0123456789abcdef";

const DATABASE_ID: &str = "11111111-2222-4333-8444-555555555555";

/// Simulates the resources of the account that the projects name.
pub fn simulate_resources(relay: &Relay) {
    let photos = json!({ "name": "photos", "creation_date": "2026-01-01T00:00:00Z" });
    let database = json!({ "uuid": DATABASE_ID, "name": "main-database" });
    let queue = json!({ "queue_id": "q1", "queue_name": "jobs" });
    let answers = json!({ "name": "answers" });
    for (path, result) in [
        ("r2/buckets/photos", photos.clone()),
        ("r2/buckets", json!({ "buckets": [photos] })),
        ("d1/database/main-database", database.clone()),
        (
            "d1/database/11111111-2222-4333-8444-555555555555",
            database.clone(),
        ),
        ("d1/database", json!([database])),
        ("storage/kv/namespaces", json!([])),
        ("queues", json!([queue])),
        ("ai-search/namespaces/answers", answers.clone()),
        ("agent-memory/namespaces/answers", answers),
        ("flagship/apps", json!([])),
    ] {
        relay.set_resource(path, 200, result);
    }
}

/// The deploys that are recorded for a version, in order.
pub fn sessions(version: Version) -> Result<Vec<Session>> {
    let mut sessions = storage(version)?;
    sessions.extend(bindings(version)?);
    sessions.extend(newer_bindings(version)?);
    Ok(sessions)
}

/// A project with one setting.
fn with(worker: &str, version: Version, key: &str, value: Value) -> Result<Project> {
    Project::new(&named(worker, version))?.setting(key, value)
}

/// Deploys with bindings to buckets, KV namespaces and databases.
fn storage(version: Version) -> Result<Vec<Session>> {
    let with = |worker: &str, key: &str, value: Value| with(worker, version, key, value);
    let buckets = |name: &str| json!([{ "binding": "FILES", "bucket_name": name }]);
    let kv = json!([{ "binding": "KV", "id": KV_ID }]);
    let kv_without_id = json!([{ "binding": "KV" }]);
    let database = json!([{ "binding": "DB", "database_name": "main-database", "database_id": DATABASE_ID }]);
    let databases = |name: &str| json!([{ "binding": "DB", "database_name": name }]);
    Ok(vec![
        deploy(
            "R2, a bucket by name",
            "files",
            with("files", "r2_buckets", buckets("photos"))?,
        ),
        deploy(
            "R2, a redeploy",
            "files",
            with("files", "r2_buckets", buckets("photos"))?,
        ),
        deploy(
            "R2, a bucket that does not exist, refused",
            "bucketless",
            with("bucketless", "r2_buckets", buckets("missing"))?,
        ),
        deploy(
            "KV, a namespace by id",
            "pairs",
            with("pairs", "kv_namespaces", kv)?,
        ),
        deploy(
            "KV, a redeploy without an id, which inherits",
            "pairs",
            with("pairs", "kv_namespaces", kv_without_id.clone())?,
        ),
        deploy(
            "KV, a first deploy without an id, refused",
            "pairless",
            with("pairless", "kv_namespaces", kv_without_id)?,
        ),
        deploy(
            "D1, a database by id",
            "tables",
            with("tables", "d1_databases", database)?,
        ),
        deploy(
            "D1, a redeploy by name, which inherits",
            "tables",
            with("tables", "d1_databases", databases("main-database"))?,
        ),
        deploy(
            "D1, a first deploy by name",
            "rows",
            with("rows", "d1_databases", databases("main-database"))?,
        ),
        deploy(
            "D1, a database that does not exist, refused",
            "tableless",
            with("tableless", "d1_databases", databases("missing"))?,
        ),
    ])
}

/// Deploys with bindings of other kinds that both versions have.
fn bindings(version: Version) -> Result<Vec<Session>> {
    let with = |worker: &str, key: &str, value: Value| with(worker, version, key, value);
    let queues = |name: &str| json!({ "producers": [{ "binding": "JOBS", "queue": name }] });
    let ai_search = json!([{ "binding": "SEARCH", "namespace": "answers" }]);
    Ok(vec![
        deploy(
            "a queue by name",
            "producer",
            with("producer", "queues", queues("jobs"))?,
        ),
        deploy(
            "a queue that does not exist, refused",
            "queueless",
            with("queueless", "queues", queues("missing"))?,
        ),
        deploy(
            "AI Search, a namespace by name",
            "searcher",
            with("searcher", "ai_search_namespaces", ai_search)?,
        ),
        deploy(
            "a workflow, refused",
            "stepwise",
            with(
                "stepwise",
                "workflows",
                json!([{ "binding": "STEPS", "name": "steps", "class_name": "Steps" }]),
            )?
            .file(
                "index.js",
                "import { WorkflowEntrypoint } from 'cloudflare:workers';
                export class Steps extends WorkflowEntrypoint {}
                export default { fetch() { return new Response('x'); } };",
            )?,
        ),
        deploy(
            "the bindings that wrangler does not look up: Hyperdrive, Vectorize, Secrets Store, Analytics Engine, AI, browser, images, \
             version metadata, rate limit, mTLS certificate, email, Worker loader",
            "unseen",
            without_look_ups(&named("unseen", version))?,
        ),
        deploy(
            "a service",
            "caller",
            with(
                "caller",
                "services",
                json!([{ "binding": "OTHER", "service": "other" }]),
            )?,
        ),
        deploy(
            "a dispatch namespace",
            "dispatcher",
            with(
                "dispatcher",
                "dispatch_namespaces",
                json!([{ "binding": "WORKERS", "namespace": Staging.namespace() }]),
            )?,
        ),
    ])
}

/// Deploys with bindings that only wrangler 4.152 has.
fn newer_bindings(version: Version) -> Result<Vec<Session>> {
    if version != Version::V4_152 {
        return Ok(Vec::new());
    }
    let with = |worker: &str, key: &str, value: Value| with(worker, version, key, value);
    Ok(vec![
        deploy(
            "Agent Memory, a namespace by name",
            "memory",
            with(
                "memory",
                "agent_memory",
                json!([{ "binding": "MEMORY", "namespace": "answers" }]),
            )?,
        ),
        deploy(
            "Flagship, an app by id",
            "flags",
            with(
                "flags",
                "flagship",
                json!([{ "binding": "FLAGS", "app_id": KV_ID }]),
            )?,
        ),
        deploy(
            "Flagship, a first deploy without an id, refused",
            "flagless",
            with("flagless", "flagship", json!([{ "binding": "FLAGS" }]))?,
        ),
    ])
}

/// A project with all bindings that cause no request of their own.
fn without_look_ups(name: &str) -> Result<Project> {
    let settings = json!({
        "hyperdrive": [{ "binding": "SQL", "id": KV_ID }],
        "vectorize": [{ "binding": "VECTORS", "index_name": "vectors" }],
        "secrets_store_secrets": [{ "binding": "SHARED", "store_id": KV_ID, "secret_name": "shared" }],
        "analytics_engine_datasets": [{ "binding": "EVENTS", "dataset": "events" }],
        "ai": { "binding": "AI" },
        "browser": { "binding": "BROWSER" },
        "images": { "binding": "IMAGES" },
        "version_metadata": { "binding": "METADATA" },
        "ratelimits": [{ "name": "LIMIT", "namespace_id": "1001", "simple": { "limit": 100, "period": 60 } }],
        "mtls_certificates": [{ "binding": "CERTIFICATE", "certificate_id": DATABASE_ID }],
        "send_email": [{ "name": "EMAIL" }],
        "worker_loaders": [{ "binding": "LOADER" }],
    });
    let mut project = Project::new(name)?;
    for (key, value) in settings.as_object().into_iter().flatten() {
        project = project.setting(key, value.clone())?;
    }
    Ok(project)
}
