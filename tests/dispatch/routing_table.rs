//! The routing table of the documentation, row by row.

use anyhow::Result;
use dotdo_names::Environment;
use end_to_end::{Platform, Script};

/// Host and path of the request, the selected environment, and the path and query that the Worker receives.
const ROWS: [(&str, &str, Environment, &str); 17] = [
    ("agents.do", "/x?q=1", Environment::Production, "/x?q=1"),
    ("www.agents.do", "/x", Environment::Production, "/x"),
    ("staging.agents.do", "/x", Environment::Staging, "/x"),
    ("dev.agents.do", "/x", Environment::Development, "/x"),
    ("development.agents.do", "/x", Environment::Development, "/x"),
    ("agents.staging.do", "/x", Environment::Staging, "/x"),
    ("agents.dev.do", "/x", Environment::Development, "/x"),
    ("agents.apis.do", "/x", Environment::Production, "/x"),
    ("agents--staging.apis.do", "/x", Environment::Staging, "/x"),
    ("agents--dev.apis.do", "/x", Environment::Development, "/x"),
    ("apis.do", "/agents/x?q=1", Environment::Production, "/x?q=1"),
    ("apis.do", "/agents", Environment::Production, "/"),
    ("staging.apis.do", "/agents/x", Environment::Staging, "/x"),
    ("dev.apis.do", "/agents/x", Environment::Development, "/x"),
    ("agents.localhost", "/x", Environment::Production, "/x"),
    ("staging.agents.localhost", "/x", Environment::Staging, "/x"),
    ("AGENTS.do.:80", "/x", Environment::Production, "/x"),
];

#[end_to_end::test]
async fn each_row_selects_its_environment_and_path() -> Result<()> {
    let platform = Platform::shared();
    for environment in Environment::ALL {
        let script = Script::module(
            "export default { fetch(request, env) {
                const url = new URL(request.url);
                return new Response(`${env.WHERE} ${url.pathname}${url.search}`);
            } };",
        )
        .with_text("WHERE", environment.name());
        platform.deploy(environment, "agents", &script).await?;
    }
    for (host, path, environment, seen) in ROWS {
        let answer = platform.get(host, path).await?;
        assert_eq!(answer.text(), format!("{environment} {seen}"), "{host}{path}");
    }
    Ok(())
}
