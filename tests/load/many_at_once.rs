//! 1,000 requests at once to 50 Workers.

use anyhow::{Result, ensure};
use dotdo_names::Environment;
use end_to_end::Script;
use tokio::task::JoinSet;

const WORKERS: usize = 50;
const REQUESTS: usize = 1000;

#[end_to_end::test]
async fn concurrent_requests_reach_the_right_workers() -> Result<()> {
    let (platform, _guard) = super::platform().await;
    for number in 0..WORKERS {
        let environment = Environment::ALL[number % 3];
        let script = Script::module(
            "export default { async fetch(request, env) {
                await scheduler.wait(Math.random() * 20);
                return new Response(`${env.NAME} ${new URL(request.url).pathname}`);
            } };",
        )
        .with_text("NAME", &format!("{environment} crowd-{number}"));
        platform
            .deploy(environment, &format!("crowd-{number}"), &script)
            .await?;
    }
    let mut requests = JoinSet::new();
    for request in 0..REQUESTS {
        requests.spawn(async move {
            let number = request % WORKERS;
            let environment = Environment::ALL[number % 3];
            let label = environment.host_labels().first();
            let host = label.map_or_else(
                || format!("crowd-{number}.do"),
                |label| format!("{label}.crowd-{number}.do"),
            );
            let answer = platform.get(&host, &format!("/{request}")).await?;
            let expected = format!("{environment} crowd-{number} /{request}");
            ensure!(
                answer.text() == expected,
                "{host} responded with {} {}",
                answer.status,
                answer.text()
            );
            Ok(())
        });
    }
    while let Some(request) = requests.join_next().await {
        request??;
    }
    Ok(())
}
