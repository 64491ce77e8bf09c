use deploy_api::code::Code;
use serde_json::json;

use super::platform::{Answered, Platform};
use super::wrangler_upload::Upload;

fn deploy(platform: &Platform, upload: &Upload) -> Answered {
    let token = platform.alice("dotdo-staging");
    platform.deploy(&token, upload)
}

#[test]
fn a_durable_object_of_a_worker_that_only_a_namespace_has_is_refused_with_the_binding_and_the_fix() {
    let platform = Platform::new();
    // A Worker that was deployed through this API, and one that was not.
    let token = platform.alice("dotdo-production");
    platform.deploy_to(&token, "dotdo-production", &Upload::of("1"));
    platform
        .cloud
        .scripts
        .borrow_mut()
        .by_key
        .insert("dotdo-staging/auth".to_owned(), super::scripts::Script::default());
    let object = |script: &str| json!({ "type": "durable_object_namespace", "name": "ROOM", "class_name": "Room", "script_name": script });
    let answer = deploy(&platform, &Upload::of("1").bound(object("auth")));
    assert_eq!(
        answer.codes(),
        [u64::from(Code::ServiceBindingUnreachable.number())]
    );
    assert!(answer.text().contains("ROOM") && answer.text().contains("https://auth.do"));
    assert_eq!(
        platform.record().last().unwrap()["reason"]["bindings"],
        json!(["ROOM"])
    );
    assert_eq!(platform.serves("dotdo-staging"), None);
    platform.cloud.scripts.borrow_mut().account = vec!["auth".to_owned()];
    assert_eq!(
        deploy(&platform, &Upload::of("1").bound(object("auth"))).status,
        200
    );
}

#[test]
fn triggers_and_invalid_dates_are_rejected_and_an_old_date_causes_a_warning() {
    let platform = Platform::new();
    for (member, value, code) in [
        ("routes", json!(["agents.do/*"]), Code::TriggerDropped),
        ("crons", json!(["* * * * *"]), Code::TriggerDropped),
        (
            "queue_consumers",
            json!([{"queue": "jobs"}]),
            Code::TriggerDropped,
        ),
        (
            "compatibility_date",
            json!("2027-01-16"),
            Code::CompatibilityDateInvalid,
        ),
    ] {
        let answer = deploy(&platform, &Upload::of("1").with(member, value));
        assert_eq!(answer.codes(), [u64::from(code.number())], "{member}");
        assert_eq!(answer.status, 400);
    }
    assert!(platform.cloud.changes().is_empty());
    let answer = deploy(
        &platform,
        &Upload::of("1").with("compatibility_date", json!("2024-01-01")),
    );
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body["messages"][0]["code"],
        Code::CompatibilityDateOld.number()
    );
    let deployment = &platform.deployments("dotdo-staging")[0];
    assert_eq!(deployment["warnings"][0]["code"], "COMPATIBILITY_DATE_OLD");
}

#[test]
fn a_name_that_no_host_reaches_is_refused_with_the_fix() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    for (name, code) in [
        ("agents-staging", Code::EnvironmentSuffix),
        ("com", Code::WorkerNameUnroutable),
        ("a--b", Code::WorkerNameUnroutable),
    ] {
        let call = format!("PUT A/workers/dispatch/namespaces/dotdo-staging/scripts/{name}");
        let answer = platform.call(&token, &call, "");
        assert_eq!(answer.codes(), [u64::from(code.number())], "{name}");
    }
    assert!(platform.cloud.seen.borrow().is_empty());
}
