//! `npm run check`.

use anyhow::Result;
use end_to_end::Command;

#[end_to_end::test]
async fn the_configuration_of_both_workers_holds() -> Result<()> {
    let finished = Command::new(&["check"]).run().await?;
    assert!(finished.succeeded, "{}", finished.errors);
    for file in ["wrangler.jsonc", "deploy-api/wrangler.jsonc"] {
        assert!(finished.errors.contains(file), "{}", finished.errors);
    }
    Ok(())
}
