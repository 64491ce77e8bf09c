use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use dotdo_names::{ACCOUNT_ID, DEPLOY_API_WORKER, DISPATCH_WORKER, Environment, LOGS_WORKER};
use serde_json::{Map, Value, json};

use super::{Api, Secrets, State};
use crate::{build::Worker, workspace};

/// Changes that tests make to the Workers' configurations.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Overrides {
    /// A variable of the dispatch Worker, as NAME=VALUE
    #[arg(long = "dispatcher-var", value_name = "NAME=VALUE", value_parser = variable, hide = true)]
    pub dispatcher_variables: Vec<(String, String)>,
    /// A variable of the deploy API, as NAME=VALUE
    #[arg(long = "deploy-api-var", value_name = "NAME=VALUE", value_parser = variable, hide = true)]
    pub deploy_api_variables: Vec<(String, String)>,
    /// Remove a binding of the dispatch Worker
    #[arg(long = "without-binding", value_name = "BINDING", hide = true)]
    pub missing_bindings: Vec<String>,
    /// Take the dispatch Worker's build from another folder
    #[arg(long = "dispatcher-build", value_name = "FOLDER", hide = true)]
    pub dispatcher_build: Option<PathBuf>,
    /// Take the deploy API's build from another folder
    #[arg(long = "deploy-api-build", value_name = "FOLDER", hide = true)]
    pub deploy_api_build: Option<PathBuf>,
    /// Send the deploy API's upstream calls to this address instead of the local REST API
    #[arg(long = "upstream", value_name = "URL", hide = true)]
    pub upstream: Option<String>,
}

fn variable(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| "expected NAME=VALUE".to_owned())
}

/// The Worker that serves the platform's port.
const FRONT: &str = "front";
/// The Worker that replaces Cloudflare's API and dispatch namespaces.
const LOCAL: &str = "local";

/// Writes the configurations of `wrangler dev`, which are made from the deployed ones. The first one's Worker serves the
/// platform's port, which is `port`. `supervisor` is the URL for reports of invocations.
pub fn write(
    state: &State,
    port: u16,
    supervisor: &str,
    api: Api,
    secrets: &Secrets,
    overrides: &Overrides,
) -> Result<Vec<PathBuf>> {
    let mut configurations = vec![
        (FRONT, front(api, secrets)?),
        (DISPATCH_WORKER, dispatcher(state, overrides)?),
        (LOCAL, local(state, supervisor, secrets)?),
        (LOGS_WORKER, logs()?),
    ];
    if api == Api::Deploy {
        configurations.push((DEPLOY_API_WORKER, deploy_api(port, secrets, overrides)?));
    }
    configurations
        .into_iter()
        .map(|(name, configuration)| configuration.write(state, name))
        .collect()
}

/// The configuration of one Worker.
struct Configuration {
    fields: Map<String, Value>,
    /// Separate from the variables, because wrangler prints those.
    secrets: Vec<(&'static str, String)>,
}

impl Configuration {
    /// Writes `wrangler.json`, and the secrets to `.dev.vars` in the same folder, where wrangler reads them.
    fn write(self, state: &State, name: &str) -> Result<PathBuf> {
        let folder = format!("configurations/{name}");
        let secrets: String = self
            .secrets
            .iter()
            .flat_map(|(name, value)| [*name, "=", value, "\n"])
            .collect();
        state.write_private(&format!("{folder}/.dev.vars"), &secrets)?;
        let text = serde_json::to_string_pretty(&self.fields)?;
        state.write_private(&format!("{folder}/wrangler.json"), &text)
    }
}

impl From<Map<String, Value>> for Configuration {
    fn from(fields: Map<String, Value>) -> Self {
        Self {
            fields,
            secrets: Vec::new(),
        }
    }
}

fn front(api: Api, secrets: &Secrets) -> Result<Configuration> {
    let mut front = read("local/front/wrangler.jsonc")?;
    let api = match api {
        Api::Deploy => DEPLOY_API_WORKER,
        Api::Rest => LOCAL,
    };
    front.insert(
        "services".to_owned(),
        json!([
            { "binding": "DISPATCHER", "service": DISPATCH_WORKER },
            { "binding": "API", "service": api },
            { "binding": "LOCAL", "service": LOCAL },
            { "binding": "ACCOUNT_WORKERS", "service": LOCAL, "entrypoint": "WorkersDev" },
            { "binding": "CRONS", "service": LOCAL, "entrypoint": "CronClock" },
        ]),
    );
    Ok(Configuration {
        fields: front,
        secrets: vec![("FRONT_SECRET", secrets.front_secret.clone())],
    })
}

fn dispatcher(state: &State, overrides: &Overrides) -> Result<Configuration> {
    let mut dispatcher = read("wrangler.jsonc")?;
    remove_deployment_keys(&mut dispatcher);
    dispatcher.remove("dispatch_namespaces");
    let namespaces = Environment::ALL
        .into_iter()
        .filter(|environment| {
            !overrides
                .missing_bindings
                .iter()
                .any(|name| name == environment.binding())
        })
        .map(|environment| {
            json!({
                "binding": environment.binding(),
                "service": LOCAL,
                "entrypoint": "Namespace",
                "props": { "namespace": environment.namespace() },
            })
        });
    extend(&mut dispatcher, "services", namespaces);
    set_build(
        &mut dispatcher,
        Worker::Dispatcher,
        overrides.dispatcher_build.as_deref(),
    )?;
    add_local_services(state, &mut dispatcher)?;
    set_variables(&mut dispatcher, [("LOCALHOST", "do")]);
    set_variables(&mut dispatcher, as_str_pairs(&overrides.dispatcher_variables));
    if !dispatcher.contains_key("kv_namespaces") {
        dispatcher.insert(
            "kv_namespaces".to_owned(),
            json!([{ "binding": "HOSTNAMES", "id": "hostnames" }]),
        );
    }
    Ok(dispatcher.into())
}

/// Replaces the entry of the dispatch Worker by one that exports `LocalServices` as well.
fn add_local_services(state: &State, dispatcher: &mut Map<String, Value>) -> Result<()> {
    let entry = dispatcher
        .get("main")
        .context("the dispatch Worker has no entry")?;
    let services = json!(workspace::path("local/dispatcher/services.js"));
    let text =
        format!("export * from {entry};\nexport {{ default }} from {entry};\nexport * from {services};\n");
    let path = state.write_private(&format!("configurations/{DISPATCH_WORKER}/entry.js"), &text)?;
    dispatcher.insert("main".to_owned(), json!(path));
    Ok(())
}

fn local(state: &State, supervisor: &str, secrets: &Secrets) -> Result<Configuration> {
    let mut local = read("local/wrangler.jsonc")?;
    let namespaces = Environment::ALL
        .map(|environment| json!({ "name": environment.namespace(), "id": environment.namespace_id() }));
    local.insert(
        "vars".to_owned(),
        json!({
            "ACCOUNT_ID": ACCOUNT_ID,
            "NAMESPACES": namespaces,
            "SUPERVISOR_URL": supervisor,
            "ENV_FILE": state.path(".env"),
        }),
    );
    let plugin = json!({ "package": workspace::path("local/storage-plugin.mjs"), "name": "storage-objects" });
    local.insert(
        "unsafe".to_owned(),
        json!({ "bindings": [{ "name": "STORAGE", "type": "storage-objects", "dev": { "plugin": plugin } }] }),
    );
    make_buckets_private(&mut local);
    Ok(Configuration {
        fields: local,
        secrets: vec![
            ("LOCAL_API_TOKEN", secrets.rest_api_token.clone()),
            ("SUPERVISOR_SECRET", secrets.supervisor_secret.clone()),
        ],
    })
}

fn logs() -> Result<Configuration> {
    let mut logs = read("logs/wrangler.jsonc")?;
    remove_deployment_keys(&mut logs);
    Ok(logs.into())
}

fn deploy_api(port: u16, secrets: &Secrets, overrides: &Overrides) -> Result<Configuration> {
    let mut deploy_api = read("deploy-api/wrangler.jsonc")?;
    remove_deployment_keys(&mut deploy_api);
    make_buckets_private(&mut deploy_api);
    deploy_api.insert(
        "services".to_owned(),
        json!([
            { "binding": "DISPATCHER", "service": DISPATCH_WORKER },
            { "binding": "LOGS", "service": LOGS_WORKER },
        ]),
    );
    match &overrides.upstream {
        None => extend(
            &mut deploy_api,
            "services",
            [json!({ "binding": "UPSTREAM", "service": LOCAL })],
        ),
        Some(address) => set_variables(&mut deploy_api, [("UPSTREAM_URL", address.as_str())]),
    }
    set_build(
        &mut deploy_api,
        Worker::DeployApi,
        overrides.deploy_api_build.as_deref(),
    )?;
    let mut secrets = vec![
        ("CLOUDFLARE_API_TOKEN", secrets.rest_api_token.clone()),
        ("BOOTSTRAP_TOKEN", secrets.bootstrap_token.clone()),
        ("CHECKPOINT_KEY", secrets.checkpoint_key.clone()),
        ("UPLOAD_KEY", secrets.upload_key.clone()),
    ];
    // The local platform has no limit.
    let worker_urls = format!("http://*.localhost:{port}");
    let mut variables = vec![
        ("UPSTREAM_CALLS_PER_FIVE_MINUTES", "1000000"),
        ("WORKER_URLS", worker_urls.as_str()),
    ];
    for (name, value) in &overrides.deploy_api_variables {
        // A secret overrides a variable of the same name, so such a variable replaces the secret.
        match secrets.iter_mut().find(|(secret, _)| secret == name) {
            Some((_, secret)) => secret.clone_from(value),
            None => variables.push((name.as_str(), value.as_str())),
        }
    }
    set_variables(&mut deploy_api, variables);
    Ok(Configuration {
        fields: deploy_api,
        secrets,
    })
}

/// Reads a configuration and makes its entry's path absolute, because the written one is in another folder.
fn read(file: &str) -> Result<Map<String, Value>> {
    let path = workspace::path(file);
    let Value::Object(mut configuration) = wrangler_config::read(&path)? else {
        anyhow::bail!("{file} is not a JSON object");
    };
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let main = configuration
        .get("main")
        .and_then(Value::as_str)
        .with_context(|| format!("{file} has no \"main\""))?;
    let main = json!(folder.join(main));
    configuration.insert("main".to_owned(), main);
    configuration.remove("$schema");
    Ok(configuration)
}

/// Removes the keys for deployments. With `routes`, `wrangler dev` would give every request the first route's host.
fn remove_deployment_keys(configuration: &mut Map<String, Value>) {
    for key in [
        "routes",
        "route",
        "account_id",
        "workers_dev",
        "preview_urls",
        "secrets",
    ] {
        configuration.remove(key);
    }
}

/// Replaces the R2 buckets by bindings of a plugin, with the same data: the runtime serves the objects of usual buckets to every
/// client of its ports.
fn make_buckets_private(configuration: &mut Map<String, Value>) {
    let Some(Value::Array(buckets)) = configuration.remove("r2_buckets") else {
        return;
    };
    let plugin = json!({
        "package": workspace::path("local/private-bucket-plugin.mjs"),
        "name": "private-bucket",
    });
    let bindings: Vec<_> = buckets
        .iter()
        .map(|bucket| {
            json!({
                "name": bucket.get("binding"),
                "type": "private-bucket",
                "dev": { "plugin": plugin, "options": { "bucket_name": bucket.get("bucket_name") } },
            })
        })
        .collect();
    let entry = configuration.entry("unsafe").or_insert_with(|| json!({}));
    if let Value::Object(entry) = entry {
        extend(entry, "bindings", bindings);
    }
}

/// Uses the build in another folder, or the Worker's own build, which is rebuilt on change.
fn set_build(configuration: &mut Map<String, Value>, worker: Worker, other: Option<&Path>) -> Result<()> {
    let Some(folder) = other else {
        return rebuild_on_change(configuration, worker);
    };
    let entry = std::path::absolute(folder)?.join("entry.js");
    configuration.insert("main".to_owned(), json!(entry));
    configuration.remove("build");
    Ok(())
}

/// Rebuilds with this program: `xtask/run` would first check whether the program itself has to be built.
fn rebuild_on_change(configuration: &mut Map<String, Value>, worker: Worker) -> Result<()> {
    let program = workspace::program()?;
    configuration.insert(
        "build".to_owned(),
        json!({
            "command": format!("\"{}\" build {} --quiet", program.display(), worker.package()),
            "cwd": workspace::root(),
            "watch_dir": worker.sources(),
        }),
    );
    Ok(())
}

fn as_str_pairs(variables: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    variables
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
}

fn set_variables<'a>(
    configuration: &mut Map<String, Value>,
    variables: impl IntoIterator<Item = (&'a str, &'a str)>,
) {
    let entry = configuration.entry("vars").or_insert_with(|| json!({}));
    if let Value::Object(known) = entry {
        known.extend(
            variables
                .into_iter()
                .map(|(name, value)| (name.to_owned(), json!(value))),
        );
    }
}

fn extend(configuration: &mut Map<String, Value>, key: &str, values: impl IntoIterator<Item = Value>) {
    let entry = configuration.entry(key).or_insert_with(|| json!([]));
    if let Value::Array(known) = entry {
        known.extend(values);
    }
}
