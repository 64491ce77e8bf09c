use deploy_api::bundles::ObjectStore;
use deploy_api::code::Code;
use deploy_api::dispatcher::DispatcherAnswer;
use deploy_api::ledger::calls;
use deploy_api::problem::Problem;
use deploy_api::v1;
use futures_executor::block_on;
use serde_json::{Value, json};

use super::platform::Platform;
use super::wrangler_upload::Upload;

pub fn answer(status: u16) -> DispatcherAnswer {
    DispatcherAnswer {
        status,
        error: None,
        content: None,
    }
}

/// An answer with the wanted header or body.
pub fn answer_with(status: u16, content: &str) -> DispatcherAnswer {
    DispatcherAnswer {
        content: Some(content.to_owned()),
        ..answer(status)
    }
}

/// A platform that serves "one". The health check of the next deployment expects 204 at `path`.
pub fn with_health_check(path: &str) -> (Platform, String) {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    platform.deploy(&token, &Upload::of("one"));
    let target = v1::target("dotdo-staging", "agents").unwrap();
    let body = json!({ "path": path, "expect": 204 }).to_string();
    platform
        .access(|access, caller| calls::health_check::put(access, caller, &target, body.as_bytes()))
        .unwrap();
    platform.cloud.dispatcher_answers.borrow_mut().clear();
    (platform, token)
}

#[test]
fn a_deployment_that_passes_its_health_check_is_kept() {
    let (platform, token) = with_health_check("/health?x=1");
    // A deployment is not immediately available on every machine.
    platform
        .cloud
        .dispatcher_answers
        .borrow_mut()
        .extend([answer(500), answer(204)]);
    assert_eq!(platform.deploy(&token, &Upload::of("two")).status, 200);
    assert_eq!(
        *platform.cloud.dispatcher_requests.borrow(),
        ["staging.agents.do/health?x=1", "staging.agents.do/health?x=1"]
    );
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "two");
}

#[test]
fn a_deployment_that_fails_its_health_check_is_rolled_back_and_reported() {
    let (platform, token) = with_health_check("/health?x=1");
    platform
        .cloud
        .dispatcher_answers
        .borrow_mut()
        .push_back(answer(500));
    let answered = platform.deploy(&token, &Upload::of("two"));
    assert_eq!(answered.status, 422, "wrangler does not try again");
    assert_eq!(answered.codes(), [u64::from(Code::HealthCheckFailed.number())]);
    assert!(answered.text().contains("status 500"), "{}", answered.text());
    assert!(answered.text().contains("was rolled back"), "{}", answered.text());
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "one");
    let deployments = platform.deployments("dotdo-staging");
    let states: Vec<_> = deployments
        .iter()
        .map(|deployment| {
            (
                deployment["verb"].as_str().unwrap(),
                deployment["state"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        states,
        [
            ("rollback", "succeeded"),
            ("deploy", "rolled_back"),
            ("deploy", "succeeded")
        ]
    );
    assert_eq!(deployments[0]["serving"], true);
    assert_eq!(
        platform.history()[3..],
        [
            "deploy intent",
            "deploy succeeded",
            "rollback intent",
            "rollback succeeded",
            "verify rolled_back",
            "verify failed"
        ]
    );
    platform.assert_reconciled();
}

#[test]
fn a_failed_rollback_is_reported() {
    let (platform, token) = with_health_check("/health?x=1");
    platform
        .cloud
        .dispatcher_answers
        .borrow_mut()
        .push_back(answer(500));
    let target = v1::target("dotdo-staging", "agents").unwrap();
    let digest = platform.deployments("dotdo-staging")[0]["bundle"]["digest"].clone();
    let key = format!("bundles/{}", digest.as_str().unwrap());
    block_on(platform.cloud.stored.delete(&[key])).unwrap();
    let answered = platform.deploy(&token, &Upload::of("two"));
    assert_eq!(answered.codes(), [u64::from(Code::HealthCheckFailed.number())]);
    assert!(
        answered.text().contains("could not be rolled back"),
        "{}",
        answered.text()
    );
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "two");
    let shown = platform
        .v1(async |gateway, credential| v1::workers::get(gateway, credential, &target).await)
        .unwrap();
    assert_eq!(
        shown["deployment"], shown["recorded_deployment"],
        "the recorded deployment is served"
    );
}

fn verify(platform: &Platform, parameters: &[(&str, &str)]) -> Result<Value, Problem> {
    let target = v1::target("dotdo-staging", "agents").unwrap();
    platform
        .v1(async |gateway, credential| v1::verify::verify(gateway, credential, &target, parameters).await)
}

#[test]
fn verify_returns_whether_the_worker_is_listed_and_reached() {
    let platform = Platform::new();
    let nothing = verify(&platform, &[]).unwrap();
    assert_eq!(
        (&nothing["verified"], &nothing["listed"]),
        (&json!(false), &json!(false))
    );
    let token = platform.alice("dotdo-staging");
    platform.deploy(&token, &Upload::of("one"));
    let good = verify(&platform, &[("path", "/x"), ("expect", "200")]).unwrap();
    assert_eq!(good["verified"], true);
    assert_eq!(good["deployment"], good["recorded_deployment"]);
    assert_eq!(
        platform.cloud.dispatcher_requests.borrow().last().unwrap(),
        "staging.agents.do/x"
    );
    assert_eq!(
        verify(&platform, &[("expect", "204")]).unwrap()["verified"],
        false
    );
    // The response is from the dispatch Worker, not from the user Worker.
    *platform.cloud.dispatcher_answers.borrow_mut() = [DispatcherAnswer {
        status: 200,
        error: Some("WORKER_FAILED".to_owned()),
        content: None,
    }]
    .into();
    let failed = verify(&platform, &[]).unwrap();
    assert_eq!(
        (&failed["verified"], &failed["health_check"]["reached"]),
        (&json!(false), &json!(false))
    );
    // Another version was deployed without this API.
    platform
        .cloud
        .scripts
        .borrow_mut()
        .by_key
        .get_mut("dotdo-staging/agents")
        .unwrap()
        .tags = vec![];
    *platform.cloud.dispatcher_answers.borrow_mut() = [answer(200)].into();
    assert_eq!(verify(&platform, &[]).unwrap()["verified"], false);
}

#[test]
fn a_health_check_path_cannot_change_the_host() {
    let platform = Platform::new();
    for path in [
        "",
        "x",
        "//evil.example/",
        "/\\evil.example",
        "/a b",
        "/é",
        "/#x",
        "/\r\nx",
    ] {
        let problem = verify(&platform, &[("path", path)]).unwrap_err();
        assert_eq!(problem.code, Code::ParameterInvalid, "{path:?}");
    }
    assert!(platform.cloud.dispatcher_requests.borrow().is_empty());
}
