use deploy_api::code::Code;
use futures_executor::block_on;
use serde_json::{Value, json};

use super::platform::Platform;
use super::promotions::promote;
use super::rollbacks::roll_back;
use super::wrangler_upload::Upload;

/// A Worker that declares these classes, each with its state.
fn exporting(code: &str, classes: &[(&str, Value)]) -> Upload {
    let exports = classes.iter().map(|(class, state)| {
        let mut export = json!({ "type": "durable-object" });
        for (key, value) in state.as_object().unwrap() {
            export[key] = value.clone();
        }
        ((*class).to_owned(), export)
    });
    Upload::of(code).with("exports", Value::Object(exports.collect()))
}

fn live() -> Value {
    json!({ "storage": "sqlite" })
}

fn deleted() -> Value {
    json!({ "state": "deleted" })
}

#[test]
fn a_rollback_across_a_removed_class_is_refused() {
    for (removal, text) in [
        (deleted(), "deleted"),
        (
            json!({ "state": "renamed", "renamed_to": "Hall" }),
            "renamed to Hall",
        ),
        (
            json!({ "state": "transferred", "transferred_to": "other" }),
            "transferred to the Worker other",
        ),
    ] {
        let platform = Platform::new();
        let token = platform.alice("dotdo-staging");
        platform.deploy(&token, &exporting("one", &[("Room", live())]));
        platform.deploy(&token, &exporting("two", &[("Room", removal)]));
        // The entry may be left out of later uploads.
        platform.deploy(&token, &Upload::of("three"));
        let first = platform.deployments("dotdo-staging")[2]["id"].clone();
        let problem = roll_back(&platform, &json!({ "deployment": first }).to_string()).unwrap_err();
        assert_eq!(problem.code, Code::MigrationUnknown, "{text}");
        assert!(
            problem.detail.contains("Room") && problem.detail.contains(text),
            "{}",
            problem.detail
        );
        assert_eq!(platform.serves("dotdo-staging").unwrap(), "three");
        // The deployment without the class can be deployed again.
        roll_back(&platform, "").unwrap();
        assert_eq!(platform.serves("dotdo-staging").unwrap(), "two");
        platform.assert_reconciled();
    }
}

#[test]
fn a_rollback_to_a_binding_of_a_removed_class_is_refused() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let bound = json!({ "type": "durable_object_namespace", "name": "ROOM", "class_name": "Room" });
    platform.deploy(&token, &Upload::of("one").bound(bound));
    platform.deploy(&token, &exporting("two", &[("Room", deleted())]));
    assert_eq!(roll_back(&platform, "").unwrap_err().code, Code::MigrationUnknown);
}

#[test]
fn a_rollback_that_keeps_the_classes_is_made() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    platform.deploy(&token, &exporting("one", &[("Room", live())]));
    platform.deploy(&token, &exporting("two", &[("Room", live()), ("Hall", live())]));
    roll_back(&platform, "").unwrap();
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "one");
}

#[test]
fn a_rollback_does_not_remove_a_class_that_was_created_again() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    platform.deploy(&token, &exporting("one", &[("Room", deleted())]));
    platform.deploy(&token, &exporting("two", &[("Room", live())]));
    let problem = roll_back(&platform, "").unwrap_err();
    assert_eq!(problem.code, Code::MigrationUnknown);
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "two");
}

#[test]
fn a_promotion_applies_the_exports_in_the_target() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-development");
    let to_staging = json!({ "to": "dotdo-staging" });
    platform.deploy_to(
        &token,
        "dotdo-development",
        &exporting("one", &[("Room", live())]),
    );
    promote(&platform, "dotdo-development", &to_staging).unwrap();
    platform.deploy_to(
        &token,
        "dotdo-development",
        &exporting("two", &[("Room", deleted())]),
    );
    promote(&platform, "dotdo-development", &to_staging).unwrap();
    let exports = platform
        .cloud
        .scripts
        .borrow()
        .get("dotdo-staging/agents")
        .unwrap()
        .metadata["exports"]
        .clone();
    assert_eq!(exports["Room"]["state"], "deleted");
    // The class is removed in the target too.
    assert_eq!(roll_back(&platform, "").unwrap_err().code, Code::MigrationUnknown);
}

#[test]
fn a_worker_that_was_deleted_has_no_removed_classes() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    platform.deploy(&token, &exporting("one", &[("Room", live())]));
    platform.deploy(&token, &exporting("two", &[("Room", deleted())]));
    let first = platform.deployments("dotdo-staging")[1]["id"].clone();
    let answer = platform.call(&token, "DELETE S", "");
    assert_eq!(answer.status, 200, "{}", answer.text());
    roll_back(&platform, &json!({ "deployment": first }).to_string()).unwrap();
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "one");
}

#[test]
fn wrangler_gets_the_reconciliation_of_the_exports() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let answer = platform.deploy(&token, &exporting("one", &[("Room", live())]));
    assert_eq!(
        answer.body["result"]["exports_reconciliation"],
        json!({ "created": ["Room"], "warnings": [] })
    );
    let answer = platform.deploy(&token, &Upload::of("two"));
    assert_eq!(answer.body["result"].get("exports_reconciliation"), None);
}

#[test]
fn wrangler_gets_the_details_of_an_upstream_error() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    platform.cloud.fail_next(super::cloud::Fault::Answer(
        400,
        r#"{"success":false,"result":null,"errors":[{"code":10402,"message":"m","meta":{"details":[{"class":"Room"}]}}],"messages":[]}"#,
    ));
    let answer =
        block_on(platform.deploying(&token, "dotdo-staging", &exporting("one", &[("Room", live())])));
    assert_eq!(
        answer.body["errors"][0]["meta"],
        json!({ "details": [{ "class": "Room" }] })
    );
}
