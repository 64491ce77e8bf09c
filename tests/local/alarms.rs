//! Alarms of Durable Objects run after a restart and after a power failure.

use anyhow::Result;
use dotdo_names::Environment;
use end_to_end::{Options, Platform, Script};
use serde_json::json;

/// An object with an alarm. `/set` sets it some milliseconds ahead, and `/` returns the names that alarms have recorded.
fn script() -> Script {
    Script::module(
        "import { DurableObject } from 'cloudflare:workers';
        export class Room extends DurableObject {
            async fetch(request) {
                const { storage } = this.ctx;
                const { pathname, searchParams } = new URL(request.url);
                if (pathname === '/set') await storage.setAlarm(Date.now() + Number(searchParams.get('in')));
                return Response.json(await storage.get('ran') ?? []);
            }
            async alarm() {
                await this.ctx.storage.put('ran', [...await this.ctx.storage.get('ran') ?? [], this.ctx.id.name]);
            }
        }
        export default { fetch: (request, env) => env.ROOMS.getByName('kept').fetch(request) };",
    )
    .with_binding(json!({ "type": "durable_object_namespace", "name": "ROOMS", "class_name": "Room" }))
    .with("migrations", json!({ "new_tag": "v1", "steps": [{ "new_sqlite_classes": ["Room"] }] }))
}

/// Waits until that number of alarms has run.
async fn ran(platform: &Platform, count: usize) -> Result<()> {
    loop {
        let names = platform.get("dev.alarms.do", "/").await?.json();
        if names == json!(vec!["kept"; count]) {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

#[end_to_end::test]
async fn alarms_run_after_a_restart_and_after_a_power_failure() -> Result<()> {
    let platform = Platform::start(Options::new().rest_api());
    platform
        .deploy(Environment::Development, "alarms", &script())
        .await?;
    assert_eq!(
        platform.get("dev.alarms.do", "/set?in=1000").await?.json(),
        json!([])
    );
    let platform = platform.restart();
    ran(&platform, 1).await?;
    platform.get("dev.alarms.do", "/set?in=1000").await?;
    let platform = platform.kill_and_restart();
    ran(&platform, 2).await
}
