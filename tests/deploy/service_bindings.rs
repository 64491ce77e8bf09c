//! Service bindings between Workers of one namespace, with the dispatch Worker in between.

use anyhow::{Context, Result, ensure};
use dotdo_names::Environment::{self, Production, Staging};
use end_to_end::{
    Options, Platform, Script, repository, worker_path,
    wrangler::{self, Version},
};
use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::platforms::{host, platform, put, served, text};

/// A Worker with everything that can be called.
const TARGET: &str = r#"
import { RpcTarget, WorkerEntrypoint } from "cloudflare:workers";
class Counter extends RpcTarget {
  #count;
  constructor(count) { super(); this.#count = count; }
  add(number) { return (this.#count += number); }
  get count() { return this.#count; }
}
export default class extends WorkerEntrypoint {
  async fetch(request) {
    if (request.headers.get("Upgrade") === "websocket") {
      const [client, server] = Object.values(new WebSocketPair());
      server.accept();
      server.addEventListener("message", ({ data }) => server.send(`heard ${data}`));
      return new Response(null, { status: 101, webSocket: client });
    }
    return new Response(`${this.env.PLACE} ${new URL(request.url).pathname} ${await request.text()}`, { status: 201 });
  }
  get place() { return this.env.PLACE; }
  add(a, b) { return a + b; }
  counter(start) { return new Counter(start); }
  async call(callback) { return await callback("called"); }
  double() { return (number) => number * 2; }
  object() { return { inner: { number: 5 } }; }
  upper(stream) {
    return stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TransformStream({
      transform(text, controller) { controller.enqueue(new TextEncoder().encode(text.toUpperCase())); },
    }));
  }
  fail() { throw new RangeError("out of range"); }
}"#;

/// A Worker that calls another one, and responds with the results by name.
const CALLER: &str = r#"
const calls = {
  fetch: async (other) => {
    const response = await other.fetch("https://any/path", { method: "POST", body: "body" });
    return `${response.status} ${await response.text()}`;
  },
  getter: (other) => other.place,
  method: (other) => other.add(1, 2),
  target: async (other) => { using counter = await other.counter(1); await counter.add(2); return await counter.add(3); },
  pipelined: (other) => other.counter(3).add(4),
  "pipelined getter": (other) => other.counter(3).count,
  "pipelined member": (other) => other.object().inner.number,
  callback: (other) => other.call((text) => `${text} back`),
  "returned function": async (other) => { using double = await other.double(); return await double(21); },
  stream: async (other) => await new Response(await other.upper(new Response("abc").body)).text(),
  error: (other) => other.fail(),
  "missing method": (other) => other.nothing(),
};
export default { async fetch(request, { OTHER }) {
  if (request.headers.get("Upgrade") === "websocket") return await OTHER.fetch(request);
  const results = {};
  for (const [name, call] of Object.entries(calls)) {
    try { results[name] = await call(OTHER); } catch (cause) { results[name] = `${cause.name}: ${cause.message}`; }
  }
  return Response.json(results);
} };"#;

/// A service binding `OTHER`.
fn service(worker: &str) -> Value {
    json!({ "type": "service", "name": "OTHER", "service": worker })
}

/// A Worker that returns the response of another one.
fn relay(worker: &str) -> Script {
    Script::module("export default { fetch(request, env) { return env.OTHER.fetch(request); } };")
        .with_binding(service(worker))
}

/// The binding that the deploy API sends, as a client could write it.
fn forged(environment: Environment, worker: &str) -> Value {
    let props = json!({ "environment": environment.name(), "worker": worker });
    json!({ "type": "service", "name": "OTHER", "service": "dispatcher", "entrypoint": "NamespaceService", "props": props })
}

/// Asserts that an upload is refused with this code, and that nothing is deployed.
async fn assert_refused(platform: &Platform, worker: &str, binding: Value, code: u32) -> Result<()> {
    let script = Script::answering("x").with_binding(binding.clone());
    let answer = put(platform, worker, &script).await?;
    ensure!(answer.status == 400, "{binding}: {}", answer.text());
    ensure!(
        answer.json()["errors"][0]["code"] == code,
        "{binding}: {}",
        answer.text()
    );
    ensure!(
        served(platform, Staging, worker)
            .await?
            .header("x-dispatch-error")
            == "WORKER_NOT_DEPLOYED"
    );
    Ok(())
}

#[end_to_end::test]
async fn requests_calls_and_web_sockets_reach_the_other_worker() -> Result<()> {
    let platform = platform();
    let target = Script::module(TARGET).with_text("PLACE", "staging");
    platform.deploy(Staging, "called", &target).await?;
    let caller = Script::module(CALLER).with_binding(service("called"));
    platform.deploy(Staging, "calling", &caller).await?;
    let results: Value = serde_json::from_str(&text(platform, Staging, "calling").await?)?;
    assert_eq!(
        results,
        json!({
            "fetch": "201 staging /path body",
            "getter": "staging",
            "method": 3,
            "target": 6,
            "pipelined": 7,
            "pipelined getter": 3,
            "pipelined member": 5,
            "callback": "called back",
            "returned function": 42,
            "stream": "ABC",
            "error": "RangeError: out of range",
            "missing method": "TypeError: The RPC receiver does not implement the method \"nothing\".",
        })
    );
    let (mut socket, _) = platform.web_socket(&host(Staging, "calling"), "/", &[]).await?;
    for number in 0..3 {
        socket.send(Message::text(format!("word {number}"))).await?;
        let message = socket.next().await.context("the WebSocket closed")??;
        assert_eq!(message, Message::text(format!("heard word {number}")));
    }
    Ok(())
}

#[end_to_end::test]
async fn a_missing_worker_is_an_error_of_the_dispatch_worker_until_it_is_deployed() -> Result<()> {
    let platform = platform();
    let caller = Script::module(CALLER).with_binding(service("awaited"));
    platform.deploy(Staging, "waiting", &caller).await?;
    let results: Value = serde_json::from_str(&text(platform, Staging, "waiting").await?)?;
    let expected = "Error: WORKER_NOT_DEPLOYED: The Worker awaited is not deployed in staging.";
    for call in ["getter", "method", "pipelined", "callback"] {
        assert_eq!(results[call], expected, "{call}");
    }
    platform.deploy(Staging, "passing", &relay("awaited")).await?;
    let missing = served(platform, Staging, "passing").await?;
    assert_eq!(
        (missing.status.as_u16(), missing.header("x-dispatch-error")),
        (404, "WORKER_NOT_DEPLOYED")
    );
    let warnings = &platform.deploy_api().deployments(Staging, "passing").await?[0]["warnings"];
    assert_eq!(warnings[0]["code"], "SERVICE_BINDING_UNREACHABLE", "{warnings}");

    let target = Script::module(TARGET).with_text("PLACE", "staging");
    platform.deploy(Staging, "awaited", &target).await?;
    let results: Value = serde_json::from_str(&text(platform, Staging, "waiting").await?)?;
    assert_eq!(results["getter"], "staging", "{results}");
    platform.delete(Staging, "awaited").await?;
    let results: Value = serde_json::from_str(&text(platform, Staging, "waiting").await?)?;
    assert_eq!(results["getter"], expected, "{results}");
    Ok(())
}

#[end_to_end::test]
async fn an_upload_cannot_bind_to_the_platform_or_to_another_environment() -> Result<()> {
    let platform = platform();
    platform
        .deploy(Production, "guarded", &Script::answering("production"))
        .await?;
    platform
        .deploy(Staging, "guarded", &Script::answering("staging"))
        .await?;
    let service = |service: &str| json!({ "type": "service", "name": "OTHER", "service": service });
    let with = |member: &str, value: Value| {
        let mut binding = service("guarded");
        binding[member] = value;
        binding
    };
    for (binding, code) in [
        (forged(Production, "guarded"), 740_147),
        (forged(Staging, "guarded"), 740_147),
        (service("dispatcher"), 740_147),
        (service("deploy-api"), 740_147),
        (service("logs"), 740_147),
        (with("environment", json!("production")), 740_142),
        (with("props", json!({ "environment": "production" })), 740_142),
        (with("entrypoint", json!("Admin")), 740_142),
    ] {
        assert_refused(platform, "forging", binding, code).await?;
    }
    // The entrypoint is not reachable by a host, and a Worker has only the bindings of its upload.
    let probe = r#"
        import { exports } from "cloudflare:workers";
        export default { async fetch(request, env) {
          const found = Object.keys(env).concat(Object.keys(exports ?? {}));
          return Response.json({ found, props: typeof exports?.NamespaceService });
        } };"#;
    platform
        .deploy(Staging, "probing", &Script::module(probe))
        .await?;
    let found: Value = serde_json::from_str(&text(platform, Staging, "probing").await?)?;
    assert_eq!(found["props"], "undefined", "{found}");
    let by_host = platform.get("namespaceservice.do", "/").await?;
    assert_eq!(by_host.header("x-dispatch-error"), "WORKER_NOT_DEPLOYED");
    Ok(())
}

/// Deploys two Workers with the same module, each with a binding to the other one. The first is deployed before its target.
async fn deploy_pair(platform: &Platform, module: &str, [first, second]: [&str; 2]) -> Result<()> {
    for (worker, other) in [(first, second), (second, first)] {
        let script = Script::module(module).with_binding(service(other));
        platform.deploy(Staging, worker, &script).await?;
    }
    Ok(())
}

#[end_to_end::test]
async fn workers_that_call_each_other_without_an_end_get_an_error() -> Result<()> {
    let platform = platform();
    let ping = "export default { async fetch(request, env) {
        try { return await env.OTHER.fetch(request); } catch (cause) { return new Response(cause.message, { status: 508 }); }
    } };";
    deploy_pair(platform, ping, ["ping", "pong"]).await?;
    let answer = served(platform, Staging, "ping").await?;
    assert_eq!(answer.status, 508);
    assert!(answer.text().contains("depth limit"), "{}", answer.text());
    Ok(())
}

/// The depth of calls is not counted: the chain ends at the limit of the runtime, or when it has used too much CPU time without an end, and
/// the runtime is started again. It has a platform of its own, because the latter ends the requests of other tests.
#[end_to_end::test]
async fn calls_without_an_end_get_an_error() -> Result<()> {
    let platform = Platform::start(Options::new());
    let call = "import { WorkerEntrypoint } from 'cloudflare:workers';
        export default class extends WorkerEntrypoint {
          async fetch() { try { return new Response(await this.call()); } catch (cause) { return new Response(cause.message, { status: 508 }); } }
          async call() { return await this.env.OTHER.call(); }
        }";
    deploy_pair(&platform, call, ["call", "recall"]).await?;
    let answer = served(&platform, Staging, "call").await?;
    let (status, text) = (answer.status.as_u16(), answer.text());
    let is_explained = match status {
        508 => text.contains("depth limit"),
        503 => text.contains("the code of a Worker did not return"),
        _ => false,
    };
    assert!(is_explained, "{status}: {text}");
    Ok(())
}

#[end_to_end::test]
async fn a_promotion_and_a_rollback_reach_the_worker_of_their_environment() -> Result<()> {
    let platform = platform();
    for environment in [Production, Staging] {
        platform
            .deploy(environment, "located", &Script::answering(environment.name()))
            .await?;
    }
    platform.deploy(Staging, "moving", &relay("located")).await?;
    assert_eq!(text(platform, Staging, "moving").await?, "staging");
    let api = platform.deploy_api();
    let promote = format!("{}/promote", worker_path(Staging, "moving"));
    api.post(&promote, &json!({ "to": Production.namespace() }))
        .await?;
    assert_eq!(text(platform, Production, "moving").await?, "production");

    platform
        .deploy(Production, "moving", &Script::answering("second"))
        .await?;
    let rollback = format!("{}/rollback", worker_path(Production, "moving"));
    api.post(&rollback, &json!({})).await?;
    assert_eq!(text(platform, Production, "moving").await?, "production");
    // The stored bundle has the author's binding in both environments.
    let digests = [Production, Staging].map(|environment| async move {
        let deployments = platform.deploy_api().deployments(environment, "moving").await?;
        anyhow::Ok(deployments[0]["bundle"]["digest"].clone())
    });
    let [production, staging] = digests;
    assert_eq!(production.await?, staging.await?);
    Ok(())
}

#[end_to_end::test]
async fn a_worker_reaches_itself_also_under_another_name() -> Result<()> {
    let platform = platform();
    let source = "export default { fetch(request, env) {
        const url = new URL(request.url);
        if (url.pathname === '/inner') return new Response('itself');
        url.pathname = '/inner';
        return env.WORKER_SELF_REFERENCE.fetch(url);
    } };";
    let project = end_to_end::Project::new("configured-name")?
        .file("index.js", source)?
        .setting(
            "services",
            json!([{ "binding": "WORKER_SELF_REFERENCE", "service": "configured-name" }]),
        )?;
    let namespace = Staging.namespace();
    for (arguments, worker) in [
        (
            vec!["deploy", "--dispatch-namespace", namespace],
            "configured-name",
        ),
        (
            vec![
                "deploy",
                "--dispatch-namespace",
                namespace,
                "--name",
                "deployed-name",
            ],
            "deployed-name",
        ),
    ] {
        project
            .wrangler(platform, Version::V4_152, &arguments)
            .await?
            .success()?;
        assert_eq!(text(platform, Staging, worker).await?, "itself");
    }
    Ok(())
}

#[end_to_end::test]
async fn the_example_with_two_workers() -> Result<()> {
    let platform = platform();
    for worker in ["prices", "cart"] {
        let folder = repository().join("examples/services").join(worker);
        for (namespace, environment) in [("dotdo-production", None), ("dotdo-staging", Some("staging"))] {
            let mut arguments = vec!["deploy", "--dispatch-namespace", namespace];
            arguments.extend(environment.iter().flat_map(|name| ["--env", *name]));
            let run = wrangler::run(platform, Version::V4_152, &folder, &arguments).await?;
            ensure!(run.succeeded, "{arguments:?}: {}", run.output);
        }
    }
    for (environment, currency) in [(Production, "EUR"), (Staging, "TEST")] {
        let host = host(environment, "cart");
        let order = |articles: Value| platform.request(Method::POST, &host, "/").json(&articles).send();
        let response = order(json!({ "apple": 3, "pear": 1 })).await?;
        let total: Value = response.json().await?;
        assert_eq!(total, json!({ "total": 175, "currency": currency }));
        let response = order(json!({ "stone": 1 })).await?;
        assert_eq!(response.status(), 400);
        assert_eq!(
            response.json::<Value>().await?["error"],
            "There is no price for stone."
        );
        assert_eq!(
            platform.get(&host, "/").await?.json(),
            json!({ "apple": 40, "pear": 55 })
        );
    }
    Ok(())
}
