use deploy_api::code::Code;
use serde_json::{Value, json};

use super::platform::Platform;
use super::promotions::promote;
use super::rollbacks::roll_back;
use super::wrangler_upload::Upload;

fn with_migration(code: &str, old: Option<&str>, new: &str) -> Upload {
    let mut migrations = json!({ "new_tag": new, "steps": [{ "new_sqlite_classes": [new] }] });
    if let Some(old) = old {
        migrations["old_tag"] = json!(old);
    }
    Upload::of(code)
        .with("migrations", migrations)
        .bound(json!({ "type": "durable_object_namespace", "name": "ROOM", "class_name": "Room" }))
}

fn steps(platform: &Platform, namespace: &str) -> Vec<Value> {
    let scripts = platform.cloud.scripts.borrow();
    scripts.get(&format!("{namespace}/agents")).unwrap().steps.clone()
}

#[test]
fn a_rollback_within_one_migration_tag_applies_no_migration() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    platform.deploy(&token, &with_migration("one", None, "v1"));
    platform.deploy(&token, &Upload::of("two"));
    assert_eq!(platform.deployments("dotdo-staging")[0]["migration_tag"], "v1");
    roll_back(&platform, "").unwrap();
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "one");
    assert_eq!(steps(&platform, "dotdo-staging").len(), 1, "not again");
}

#[test]
fn a_rollback_across_a_migration_is_refused() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    platform.deploy(&token, &Upload::of("zero"));
    platform.deploy(&token, &with_migration("one", None, "v1"));
    let problem = roll_back(&platform, "").unwrap_err();
    assert_eq!(problem.code, Code::MigrationUnknown);
    assert!(problem.detail.contains("\"v1\"") && problem.detail.contains("none"));
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "one");
}

#[test]
fn a_promotion_applies_the_missing_migrations_of_the_target() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-development");
    let deploy = |upload: &Upload| {
        let answer = platform.deploy_to(&token, "dotdo-development", upload);
        assert_eq!(answer.status, 200, "{}", answer.text());
    };
    deploy(&with_migration("one", None, "v1"));
    promote(&platform, "dotdo-development", &json!({ "to": "dotdo-staging" })).unwrap();
    deploy(&with_migration("two", Some("v1"), "v2"));
    deploy(&with_migration("three", Some("v2"), "v3"));
    promote(&platform, "dotdo-development", &json!({ "to": "dotdo-staging" })).unwrap();
    promote(
        &platform,
        "dotdo-development",
        &json!({ "to": "dotdo-production" }),
    )
    .unwrap();
    let all = [
        json!({ "new_sqlite_classes": ["v1"] }),
        json!({ "new_sqlite_classes": ["v2"] }),
        json!({ "new_sqlite_classes": ["v3"] }),
    ];
    assert_eq!(steps(&platform, "dotdo-staging"), all);
    assert_eq!(steps(&platform, "dotdo-production"), all);
}

#[test]
fn a_promotion_across_unknown_migrations_is_rejected() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    platform.deploy(&token, &with_migration("one", None, "v9"));
    let other = super::scripts::Script {
        migration_tag: Some("v3".to_owned()),
        ..Default::default()
    };
    platform
        .cloud
        .scripts
        .borrow_mut()
        .by_key
        .insert("dotdo-production/agents".to_owned(), other);
    let problem = promote(&platform, "dotdo-staging", &json!({ "to": "dotdo-production" })).unwrap_err();
    assert_eq!(problem.code, Code::MigrationUnknown);
}
