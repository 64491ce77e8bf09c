//! What the upstream can do wrong: each has a clear answer, and leaves a record that is true.

use anyhow::Result;
use dotdo_names::Environment::Staging;
use end_to_end::{Answer, Project, Script, relay::Fault, until, wrangler::Version};
use reqwest::Method;

use crate::platforms::{Distant, distant, served, text};

/// Deploys once and gives the answer, whatever it is.
async fn put(distant: &Distant, name: &str, script: &Script) -> Result<Answer> {
    let call = distant
        .platform
        .api(Method::PUT, &distant.platform.script_path(Staging, name));
    Answer::read(call.multipart(script.to_form()).send().await?).await
}

/// The states of a Worker's deployments, the newest first, once none is pending.
async fn states(distant: &Distant, name: &str) -> Result<Vec<String>> {
    until("a deployment stays pending", async || {
        let deployments = distant.platform.deploy_api().deployments(Staging, name).await?;
        let states: Vec<_> = deployments
            .iter()
            .map(|deployment| deployment["state"].as_str().unwrap_or_default().to_owned())
            .collect();
        Ok((!states.iter().any(|state| state == "pending")).then_some(states))
    })
    .await
}

/// That a first version stays, whatever happens to a second one, and that the third goes through.
async fn survives(name: &str, fault: Fault, status: u16, code: u32) -> Result<Answer> {
    let distant = distant();
    put(&distant, name, &Script::answering("1")).await?;
    distant.relay.plan("PUT", &format!("/scripts/{name}"), 1, fault);
    let answer = put(&distant, name, &Script::answering("2")).await?;
    assert_eq!(answer.status, status, "{name}: {}", answer.text());
    let body = answer.json();
    let codes: Vec<_> = body["errors"].as_array().map_or(Vec::new(), |errors| {
        errors.iter().map(|error| error["code"].clone()).collect()
    });
    assert!(codes.contains(&code.into()), "{name}: {body}");
    assert_eq!(states(&distant, name).await?, ["failed", "succeeded"], "{name}");
    assert_eq!(text(distant.cloudflare, Staging, name).await?, "1", "{name}");
    let third = put(&distant, name, &Script::answering("3")).await?;
    assert_eq!(third.status, 200, "{name}: {}", third.text());
    assert_eq!(text(distant.cloudflare, Staging, name).await?, "3", "{name}");
    assert_eq!(
        states(&distant, name).await?,
        ["succeeded", "failed", "succeeded"],
        "{name}"
    );
    Ok(answer)
}

#[end_to_end::test]
async fn it_answers_500() -> Result<()> {
    survives("fault-500", Fault::Status(500), 502, 740_160)
        .await
        .map(drop)
}

#[end_to_end::test]
async fn it_limits_the_rate() -> Result<()> {
    let fault = Fault::RateLimit { retry_after: 17 };
    let answer = survives("fault-429", fault, 429, 740_162).await?;
    assert_eq!(answer.header("retry-after"), "17");
    Ok(())
}

#[end_to_end::test]
async fn it_answers_html() -> Result<()> {
    survives("fault-html", Fault::Html(502), 502, 740_160).await?;
    survives("fault-html-200", Fault::Html(200), 502, 740_160).await?;
    Ok(())
}

#[end_to_end::test]
async fn it_closes_without_an_answer() -> Result<()> {
    survives("fault-close", Fault::Close, 502, 740_160)
        .await
        .map(drop)
}

#[end_to_end::test]
async fn it_hangs() -> Result<()> {
    survives("fault-hang", Fault::Hang, 504, 740_161).await.map(drop)
}

#[end_to_end::test]
async fn it_refuses_this_apis_own_token() -> Result<()> {
    survives("fault-403", Fault::Status(403), 502, 740_163)
        .await
        .map(drop)
}

#[end_to_end::test]
async fn it_closes_in_the_middle_of_its_answer() -> Result<()> {
    let distant = distant();
    distant
        .relay
        .plan("PUT", "/scripts/fault-cut", 1, Fault::CloseMidway);
    // It did the work, which the deploy API finds out by asking.
    let answer = put(&distant, "fault-cut", &Script::answering("1")).await?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(states(&distant, "fault-cut").await?, ["succeeded"]);
    assert_eq!(text(distant.cloudflare, Staging, "fault-cut").await?, "1");
    Ok(())
}

#[end_to_end::test]
async fn it_does_the_work_and_is_silent_until_asked_again() -> Result<()> {
    let distant = distant();
    put(&distant, "fault-mute", &Script::answering("1")).await?;
    distant
        .relay
        .plan("PUT", "/scripts/fault-mute", 1, Fault::LoseAnswer);
    // Whatever the deploy API asks afterwards fails too, so that it cannot know.
    distant
        .relay
        .plan("GET", "/scripts/fault-mute", 2, Fault::Status(503));
    let answer = put(&distant, "fault-mute", &Script::answering("2")).await?;
    assert_eq!(answer.status, 502, "{}", answer.text());
    distant.relay.heal("/scripts/fault-mute");
    // Nobody deploys again: the sweeper finds out.
    assert_eq!(states(&distant, "fault-mute").await?, ["succeeded", "succeeded"]);
    assert_eq!(text(distant.cloudflare, Staging, "fault-mute").await?, "2");
    let entries = distant
        .platform
        .deploy_api()
        .audit("worker=fault-mute&verb=deploy")
        .await?;
    let outcomes: Vec<_> = entries.iter().map(|entry| &entry["outcome"]).collect();
    assert_eq!(outcomes, ["intent", "succeeded"].repeat(2), "{entries:?}");
    assert_eq!(entries[3]["client"]["request_id"], "sweeper");
    Ok(())
}

#[end_to_end::test]
async fn wrangler_gets_over_a_server_error_by_itself() -> Result<()> {
    let distant = distant();
    distant
        .relay
        .plan("PUT", "/scripts/fault-twice", 2, Fault::Status(500));
    Project::new("fault-twice")?
        .deploy(distant.platform, Version::V4_152, Staging)
        .await?;
    assert_eq!(text(distant.cloudflare, Staging, "fault-twice").await?, "1");
    assert_eq!(states(&distant, "fault-twice").await?[0], "succeeded");
    Ok(())
}

#[end_to_end::test]
async fn what_failed_never_serves() -> Result<()> {
    let distant = distant();
    distant
        .relay
        .plan("PUT", "/scripts/fault-first", 1, Fault::Status(500));
    put(&distant, "fault-first", &Script::answering("1")).await?;
    assert_eq!(states(&distant, "fault-first").await?, ["failed"]);
    assert_eq!(
        served(distant.cloudflare, Staging, "fault-first")
            .await?
            .header("x-dispatch-error"),
        "WORKER_NOT_DEPLOYED"
    );
    Ok(())
}
