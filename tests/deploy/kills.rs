//! A handful of kills; `npm run chaos` makes hundreds.

use std::time::Duration;

use anyhow::Result;
use end_to_end::{
    Platform,
    chaos::{Chaos, Moment},
};

#[end_to_end::test]
async fn a_killed_runtime_loses_nothing_and_records_nothing_twice() -> Result<()> {
    let mut chaos = Chaos::start(Platform::shared(), 1)?;
    for moment in [
        Moment::After(Duration::from_secs(2)),
        Moment::BeforeTheUpstream,
        Moment::AfterTheUpstream,
        Moment::WhileTheUpstreamIsLate,
        Moment::After(Duration::from_millis(60)),
    ] {
        chaos.kill(moment).await?;
    }
    let survived = chaos.survived().await?;
    assert!(survived.acknowledged >= 3, "{survived:?}");
    assert!(
        survived.found_done >= 1 && survived.found_undone >= 1,
        "{survived:?}"
    );
    Ok(())
}
