//! `npm run check`. Its unit tests have the mistakes that it finds.

use anyhow::Result;
use end_to_end::Command;

#[end_to_end::test]
async fn the_shipped_configuration_has_no_problems() -> Result<()> {
    let finished = Command::new(&["check"]).run().await?;
    assert!(finished.succeeded, "{}", finished.errors);
    for file in ["wrangler.jsonc", "deploy-api/wrangler.jsonc", ".env.example"] {
        assert!(finished.errors.contains(file), "{}", finished.errors);
    }
    Ok(())
}
