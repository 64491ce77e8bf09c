//! An agent of the Agents SDK, with state, SQL and schedules, over HTTP and WebSocket.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use dotdo_names::Environment::{self, Development, Production, Staging};
use end_to_end::{WebSocket, until};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::project::{ENVIRONMENTS, Project, platform};

const REMINDERS: Project = Project::new("reminders");

/// How long a deploy may take. A reminder that waits this long is due after it.
const DEPLOY: Duration = Duration::from_secs(45);
/// How long a client waits for a message.
const MESSAGE: Duration = Duration::from_mins(1);

/// A client of an agent, as `AgentClient` of the SDK is one.
struct Client {
    socket: WebSocket,
    calls: u32,
}

impl Client {
    async fn connect(environment: Environment, path: &str) -> Result<Self> {
        let host = REMINDERS.host(environment);
        let (socket, _) = platform().web_socket(&host, path, &[]).await?;
        Ok(Self { socket, calls: 0 })
    }

    /// The next message for which a function returns a value.
    async fn receive<T>(&mut self, what: &str, find: impl Fn(&Value) -> Option<T>) -> Result<T> {
        let found = tokio::time::timeout(MESSAGE, async {
            while let Some(message) = self.socket.next().await {
                let Message::Text(text) = message? else { continue };
                if let Some(found) = find(&serde_json::from_str(&text)?) {
                    return Ok(found);
                }
            }
            bail!("the WebSocket closed")
        });
        found
            .await
            .unwrap_or_else(|elapsed| Err(elapsed.into()))
            .context(what.to_owned())
    }

    /// The next state in which these reminders are due.
    async fn due(&mut self, expected: Value) -> Result<()> {
        let what = format!("no state with {expected}");
        self.receive(&what, |message| {
            (message["type"] == "cf_agent_state" && message["state"]["due"] == expected).then_some(())
        })
        .await
    }

    /// Calls a method of the agent, and returns the result.
    async fn call(&mut self, method: &str, arguments: Value) -> Result<Value> {
        self.calls += 1;
        let id = self.calls.to_string();
        let request = json!({ "type": "rpc", "id": id, "method": method, "args": arguments });
        self.socket.send(Message::text(request.to_string())).await?;
        let response = self
            .receive(&format!("no result of {method}"), |message| {
                (message["type"] == "rpc" && message["id"] == *id).then(|| message.clone())
            })
            .await?;
        anyhow::ensure!(response["success"] == true, "{response}");
        Ok(response["result"].clone())
    }
}

/// What an agent knows, by its path.
async fn known(environment: Environment, path: &str) -> Result<Value> {
    Ok(REMINDERS.get(environment, path).await?.json())
}

#[end_to_end::test]
async fn schedules_of_an_agent_fire_and_survive_a_deploy() -> Result<()> {
    for environment in ENVIRONMENTS {
        REMINDERS.deploy(environment, &[]).await?;
    }
    let path = "/agents/reminders/ada";
    let mut client = Client::connect(Production, path).await?;
    client.due(json!([])).await?;

    // Over HTTP, and over the WebSocket. Every client sees the new state.
    let mut second = Client::connect(Production, path).await?;
    REMINDERS
        .post(Production, path, &json!({ "text": "over HTTP", "seconds": 1 }))
        .await?;
    for client in [&mut client, &mut second] {
        client.due(json!(["over HTTP"])).await?;
    }
    client.call("remind", json!(["over a WebSocket", 1])).await?;
    for client in [&mut client, &mut second] {
        client.due(json!(["over HTTP", "over a WebSocket"])).await?;
    }
    let cancelled = client.call("remind", json!(["never", 1])).await?;
    assert_eq!(client.call("cancel", json!([cancelled])).await?, true);
    assert_eq!(client.call("cancel", json!([cancelled])).await?, false);

    // A reminder waits while the Worker is deployed again, and is due in the new version.
    let begin = Instant::now();
    let late = client
        .call("remind", json!(["after the deploy", DEPLOY.as_secs()]))
        .await?;
    REMINDERS.deploy(Production, &["--var", "VERSION:2"]).await?;
    let now = known(Production, path).await?;
    assert!(begin.elapsed() < DEPLOY, "the deploy took {:?}", begin.elapsed());
    assert_eq!(now["version"], "2");
    assert_eq!(now["state"]["due"], json!(["over HTTP", "over a WebSocket"]));
    assert_eq!(
        now["waiting"],
        json!([{ "id": late, "text": "after the deploy" }])
    );
    let last = until("the reminder is due", async || {
        let now = known(Production, path).await?;
        Ok(now["waiting"]
            .as_array()
            .is_some_and(Vec::is_empty)
            .then_some(now))
    })
    .await?;
    assert_eq!(
        last["reminders"],
        json!([
            { "text": "over HTTP", "version": "1" },
            { "text": "over a WebSocket", "version": "1" },
            { "text": "after the deploy", "version": "2" },
        ])
    );
    let mut later = Client::connect(Production, path).await?;
    later
        .due(json!(["over HTTP", "over a WebSocket", "after the deploy"]))
        .await?;

    // Other agents, and the same agent in the other environment, have none of it.
    for (environment, path) in [(Production, "/agents/reminders/bob"), (Staging, path)] {
        let other = known(environment, path).await?;
        assert_eq!(
            (&other["state"]["due"], &other["reminders"]),
            (&json!([]), &json!([]))
        );
    }
    Ok(())
}

#[end_to_end::test]
async fn an_agent_starts_agents_with_their_own_data_and_schedules() -> Result<()> {
    REMINDERS.deploy(Development, &[]).await?;
    let path = "/agents/reminders/ada";
    let mut client = Client::connect(Development, path).await?;
    assert_eq!(
        client.call("archive", json!(["2026", "first"])).await?,
        json!(["first"])
    );
    assert_eq!(
        client.call("archive", json!(["2027", "other"])).await?,
        json!(["other"])
    );
    let mut archive = Client::connect(Development, &format!("{path}/sub/archive/2026")).await?;
    archive.call("keep", json!(["second"])).await?;
    archive.call("keepLater", json!(["third", 1])).await?;
    let all = until("the third text is kept", async || {
        let texts = archive.call("texts", json!([])).await?;
        Ok((texts.as_array().map(Vec::len) == Some(3)).then_some(texts))
    })
    .await?;
    assert_eq!(all, json!(["first", "second", "third"]));

    REMINDERS.deploy(Development, &["--var", "VERSION:2"]).await?;
    let mut client = Client::connect(Development, path).await?;
    assert_eq!(
        client.call("archive", json!(["2026", "fourth"])).await?,
        json!(["first", "second", "third", "fourth"])
    );
    Ok(())
}
