//! Plain `wrangler dev` in the repository. With an account it connects the development namespace; `--local` does not.

use anyhow::Result;
use end_to_end::WranglerDev;

#[end_to_end::test]
async fn a_namespace_that_wrangler_dev_does_not_reach_names_npm_run_dev() -> Result<()> {
    let wrangler = WranglerDev::start().await?;
    for host in ["agents.localhost", "staging.agents.localhost", "agents.do"] {
        let answer = wrangler.get(host, "/").await?;
        assert_eq!(answer.status.as_u16(), 503, "{host}: {}", answer.text());
        assert_eq!(answer.header("x-dispatch-error"), "DISPATCH_UNAVAILABLE");
        let document = answer.json();
        let detail = document["detail"].as_str().unwrap_or_default();
        assert!(detail.contains("`npm run dev`"), "{document}");
    }
    let unknown = wrangler.get("unknown.example", "/").await?;
    assert_eq!(unknown.header("x-dispatch-error"), "HOST_UNKNOWN");
    Ok(())
}
