//! `/v1/policy`.

use deploy_api::code::Code;
use deploy_api::ledger::calls::{explain, policy, tokens};
use deploy_api::policy::Caller;
use deploy_api::problem::Problem;
use serde_json::{Value, json};

use crate::support::api::{Api, json_of};
use crate::support::callers::{caller, person, run};
use crate::support::rules::{alice, document, operators, production, with};

fn put(api: &Api, caller: &Caller, document: &str, parameters: &[(&str, &str)]) -> Result<Value, Problem> {
    api.request(|access| policy::put(access, caller, document, parameters, None))
        .map(|answer| json_of(&answer))
}

fn get(api: &Api, caller: &Caller, parameters: &[(&str, &str)]) -> Result<Value, Problem> {
    api.request(|access| policy::get(access, caller, parameters))
        .map(|answer| json_of(&answer))
}

#[test]
fn the_bootstrap_administrator_stores_the_first_policy() {
    let api = Api::new();
    let bootstrap = api.bootstrap();
    assert_eq!(
        get(&api, &bootstrap, &[]).unwrap_err().code,
        Code::PolicyVersionUnknown
    );
    let answer = put(&api, &bootstrap, &document(&[alice(), operators()]), &[]).unwrap();
    assert_eq!(
        (&answer["version"], &answer["changed"], &answer["dry_run"]),
        (&json!(1), &json!(true), &json!(false))
    );
    assert_eq!(
        answer["changes"]["allowed"][0]["sentence"],
        "API tokens of alice may read, deploy, lock agents in dotdo-staging (rule \"alice\")"
    );
    let stored = get(&api, &bootstrap, &[]).unwrap();
    assert_eq!(stored["document"]["rules"][0], alice());
    assert_eq!(stored["created_by"], "the bootstrap administrator");
}

#[test]
fn a_dry_run_returns_the_result_without_storing_it() {
    let api = Api::with_policy(&[alice()]);
    let bootstrap = api.bootstrap();
    let looser = with(production(), "/who/github/ref", Value::Null);
    let answer = put(
        &api,
        &bootstrap,
        &document(&[looser, operators()]),
        &[("dry_run", "true")],
    )
    .unwrap();
    assert_eq!(
        (&answer["version"], &answer["changed"]),
        (&json!(1), &json!(true))
    );
    assert_eq!(answer["changes"]["forbidden"].as_array().unwrap().len(), 1);
    assert_eq!(
        answer["warnings"],
        json!([
            "rule \"agents-production\" covers dotdo-production without \"ref\": a job on any branch can name the \
             environment, unless its branches are restricted",
            "rule \"operators\" names the subject \"ops\", for which there is no valid API token"
        ])
    );
    assert_eq!((api.sql.count("policies"), api.record().len()), (1, 0));
}

#[test]
fn every_version_is_kept_and_the_change_is_recorded() {
    let api = Api::with_policy(&[alice()]);
    let bootstrap = api.bootstrap();
    put(&api, &bootstrap, &document(&[production(), operators()]), &[]).unwrap();
    let entry = api.last_entry();
    assert_eq!(
        (&entry["verb"], &entry["subject"]["version"]),
        (&json!("policy_change"), &json!(2))
    );
    assert_eq!(
        entry["authority"],
        json!({ "rule": "bootstrap-administrator", "policy_version": 1 })
    );
    assert_eq!(
        get(&api, &bootstrap, &[("version", "1")]).unwrap()["document"]["rules"][0],
        alice()
    );
    assert_eq!(
        get(&api, &bootstrap, &[("version", "3")]).unwrap_err().code,
        Code::PolicyVersionUnknown
    );
    let versions = api
        .request(|access| policy::versions(access, &bootstrap, &[("limit", "1")]))
        .unwrap();
    let versions = json_of(&versions);
    assert_eq!(versions["items"][0]["version"], 2);
    let cursor = versions["cursor"].as_str().unwrap();
    let page = |cursor| api.request(|access| policy::versions(access, &bootstrap, &[("cursor", cursor)]));
    assert_eq!(json_of(&page(cursor).unwrap())["items"][0]["version"], 1);
    for bad in ["", "2", &cursor[1..]] {
        assert_eq!(page(bad).unwrap_err().code, Code::ParameterInvalid, "{bad}");
    }
}

#[test]
fn the_same_document_creates_no_version() {
    let api = Api::with_policy(&[alice()]);
    let bootstrap = api.bootstrap();
    let answer = put(&api, &bootstrap, &document(&[alice()]), &[]).unwrap();
    assert_eq!(
        (&answer["version"], &answer["changed"]),
        (&json!(1), &json!(false))
    );
    assert_eq!(api.sql.count("policies"), 1);
}

#[test]
fn a_change_of_an_outdated_version_is_rejected() {
    let api = Api::with_policy(&[alice()]);
    let bootstrap = api.bootstrap();
    let put = |if_match| {
        api.request(|access| {
            policy::put(
                access,
                &bootstrap,
                &document(&[production(), operators()]),
                &[],
                Some(if_match),
            )
        })
    };
    let problem = put(2).unwrap_err();
    assert_eq!((problem.code, problem.code.status()), (Code::PolicyChanged, 412));
    assert_eq!(put(1).unwrap().version, Some(2));
    assert_eq!(put(1).unwrap_err().code, Code::PolicyChanged);
}

#[test]
fn a_policy_that_does_not_load_is_rejected_with_every_error() {
    let api = Api::with_policy(&[alice()]);
    let bad = document(&[with(alice(), "/namespaces", json!(["staging", "live"]))]);
    let problem = put(&api, &api.bootstrap(), &bad, &[]).unwrap_err();
    assert_eq!(problem.code, Code::PolicyInvalid);
    assert_eq!(problem.detail, "The policy has 2 mistakes and was not stored.");
    assert_eq!(
        problem.notes[0],
        "rule \"alice\": \"staging\" is not a namespace; use dotdo-staging"
    );
    assert_eq!(api.sql.count("policies"), 1);
}

#[test]
fn a_policy_that_cannot_be_recorded_is_not_stored() {
    let api = Api::with_policy(&[alice()]);
    let bootstrap = api.bootstrap();
    api.sql.fail_at("INSERT INTO audit");
    let problem = put(&api, &bootstrap, &document(&[production(), operators()]), &[]).unwrap_err();
    assert_eq!(problem.code, Code::RecordUnavailable);
    assert_eq!(api.sql.count("policies"), 1);
}

#[test]
fn the_policy_requires_admin_or_read_of_everything() {
    let api = Api::with_policy(&[alice()]);
    assert_eq!(
        get(&api, &person("alice"), &[]).unwrap_err().code,
        Code::PermissionDenied
    );
    assert_eq!(
        put(&api, &person("alice"), &document(&[]), &[("dry_run", "true")])
            .unwrap_err()
            .code,
        Code::PermissionDenied
    );
    let bad = put(&api, &api.bootstrap(), &document(&[]), &[("dryrun", "true")]);
    assert_eq!(
        bad.unwrap_err().code,
        Code::ParameterInvalid,
        "a misspelt dry run is no real one"
    );
}

#[test]
fn subjects_without_a_token_and_tokens_without_a_rule_are_warnings() {
    let api = Api::with_policy(&[operators(), alice()]);
    let ops = person("ops");
    let make = |subject: &str| {
        let entropy = api.entropy();
        let request = json!({
            "subject": subject, "expires": "2027-02-01T00:00:00Z",
            "grants": [{ "namespaces": ["dotdo-staging"], "workers": ["agents"], "actions": ["read"] }]
        });
        api.request(|access| tokens::create(access, &ops, request.to_string().as_bytes(), entropy))
            .map(|answer| json_of(&answer)["id"].as_str().unwrap().to_owned())
            .unwrap()
    };
    for subject in ["ops", "alice", "alice"] {
        make(subject);
    }
    let carols = make("carol");
    let alicia = with(alice(), "/who/token", json!(["alice", "alicia"]));
    let document = document(&[operators(), alicia]);
    let without_token = "rule \"alice\" names the subject \"alicia\", for which there is no valid API token";
    let without_rule = "no rule of the policy names the subject \"carol\", so its API tokens allow nothing";
    for parameters in [&[("dry_run", "true")][..], &[]] {
        assert_eq!(
            put(&api, &ops, &document, parameters).unwrap()["warnings"],
            json!([without_token, without_rule])
        );
    }
    api.request(|access| tokens::revoke(access, &ops, &carols))
        .unwrap();
    assert_eq!(
        put(&api, &ops, &document, &[]).unwrap()["warnings"],
        json!([without_token])
    );
    api.now.set(60 * 60 * 24 * 30);
    let expired = put(&api, &ops, &document, &[]).unwrap();
    assert_eq!(expired["warnings"].as_array().unwrap().len(), 3, "{expired}");
}

/// A policy that does not allow `admin` to anybody, and one that allows it to `ops` only.
fn lock_outs() -> [(String, &'static str); 2] {
    [
        (
            document(&[alice()]),
            "no rule allows \"admin\", so only the bootstrap secret could change the policy and create tokens",
        ),
        (
            document(&[operators()]),
            "no rule allows \"admin\" to the API token of zoe, the caller, who could not undo this change",
        ),
    ]
}

/// A policy whose administrator is `zoe`.
fn zoes() -> Value {
    with(
        with(operators(), "/who/token", json!("zoe")),
        "/name",
        json!("zoes"),
    )
}

#[test]
fn a_policy_that_locks_its_administrators_out_needs_a_confirmation() {
    for (document, sentence) in lock_outs() {
        let api = Api::with_policy(&[zoes()]);
        let zoe = person("zoe");
        let problem = put(&api, &zoe, &document, &[]).unwrap_err();
        assert_eq!((problem.code, problem.code.status()), (Code::PolicyLocksOut, 409));
        assert_eq!(problem.detail, format!("The policy was not stored: {sentence}."));
        assert!(problem.fix.contains("?confirm=lock_out"), "{problem:?}");
        let entry = api.last_entry();
        assert_eq!(
            (&entry["verb"], &entry["outcome"], &entry["reason"]["code"]),
            (
                &json!("policy_change"),
                &json!("denied"),
                &json!("POLICY_LOCKS_OUT")
            )
        );
        let dry = put(&api, &zoe, &document, &[("dry_run", "true")]).unwrap();
        assert_eq!(dry["warnings"][0], sentence);
        for other in ["", "true", "yes", "LOCK_OUT"] {
            let problem = put(&api, &zoe, &document, &[("confirm", other)]).unwrap_err();
            assert_eq!(problem.code, Code::ParameterInvalid, "{other}");
        }
        assert_eq!(api.sql.count("policies"), 1);
        let stored = put(&api, &zoe, &document, &[("confirm", "lock_out")]).unwrap();
        assert_eq!(
            (&stored["version"], &stored["warnings"][0]),
            (&json!(2), &json!(sentence))
        );
        assert_eq!(
            get(&api, &zoe, &[]).unwrap_err().code,
            Code::PermissionDenied,
            "the caller is locked out"
        );
    }
}

#[test]
fn the_bootstrap_administrator_needs_the_confirmation_only_if_there_is_no_administrator() {
    let api = Api::with_policy(&[zoes()]);
    let bootstrap = api.bootstrap();
    let empty = document(&[]);
    assert_eq!(
        put(&api, &bootstrap, &empty, &[]).unwrap_err().code,
        Code::PolicyLocksOut
    );
    put(&api, &bootstrap, &empty, &[("confirm", "lock_out")]).unwrap();
    assert_eq!(
        put(&api, &bootstrap, &empty, &[]).unwrap()["changed"],
        false,
        "an unchanged policy changes nothing"
    );
    put(&api, &bootstrap, &document(&[operators()]), &[]).unwrap();
}

#[test]
fn the_bootstrap_secret_is_the_way_back() {
    let api = Api::with_policy(&[zoes()]);
    put(&api, &person("zoe"), &document(&[]), &[("confirm", "lock_out")]).unwrap();
    let bootstrap = api.bootstrap();
    let earlier = get(&api, &bootstrap, &[("version", "1")]).unwrap()["document"].to_string();
    assert_eq!(put(&api, &bootstrap, &earlier, &[]).unwrap()["version"], 3);
    assert_eq!(get(&api, &person("zoe"), &[]).unwrap()["version"], 3);
}

fn explain(api: &Api, caller: &Caller, body: &Value) -> Result<Value, Problem> {
    api.request(|access| explain::explain(access, caller, body.to_string().as_bytes()))
        .map(|answer| json_of(&answer))
}

#[test]
fn every_caller_can_explain_the_policy_for_their_identity() {
    let api = Api::with_policy(&[alice(), production()]);
    let ask = |namespace, worker| json!({ "action": "deploy", "namespace": namespace, "worker": worker });
    assert_eq!(
        explain(&api, &caller(run()), &ask("dotdo-production", "agents")).unwrap(),
        json!({ "allowed": true, "policy_version": 1, "rule": "agents-production" })
    );
    let denied = explain(&api, &caller(run()), &ask("dotdo-staging", "agents")).unwrap();
    assert_eq!(denied["allowed"], false);
    assert_eq!(
        denied["explanation"],
        json!({
            "lines": [
                "drivly/agents at refs/heads/main (run 42) may not deploy agents in dotdo-staging.",
                "Rule \"agents-production\" is for dotdo-production only."
            ],
            "rules": [{ "rule": "agents-production", "obstacles": [{ "namespaces": ["dotdo-production"] }] }]
        })
    );
    assert_eq!(api.record().len(), 0, "a question is no denial");
}

#[test]
fn an_administrator_can_explain_the_policy_for_any_identity() {
    let api = Api::with_policy(&[alice(), production()]);
    let mut body = json!({
        "identity": { "github": { "repository_id": "1001", "repository_owner_id": "2002", "repository": "drivly/agents",
            "ref": "refs/heads/main" } },
        "action": "deploy", "namespace": "dotdo-production", "worker": "agents"
    });
    let denied = explain(&api, &api.bootstrap(), &body).unwrap();
    assert_eq!(
        denied["explanation"]["rules"][0],
        json!({ "rule": "agents-production", "obstacles": [
            { "claim": "environment", "expected": ["production"], "got": null }
        ] })
    );
    body["identity"]["github"]["environment"] = json!("production");
    assert_eq!(
        explain(&api, &api.bootstrap(), &body).unwrap()["rule"],
        "agents-production"
    );
    assert_eq!(
        explain(&api, &person("alice"), &body).unwrap_err().code,
        Code::PermissionDenied
    );
    body["identity"] = json!({ "token": "alice" });
    body["namespace"] = json!("dotdo-staging");
    assert_eq!(explain(&api, &api.bootstrap(), &body).unwrap()["rule"], "alice");
}

#[test]
fn the_claims_of_a_job_have_the_names_of_a_policy_or_of_a_token() {
    let rule = |service: &str, claims: Value| {
        json!({
            "name": service, "who": { service: claims }, "namespaces": ["dotdo-staging"], "workers": ["agents"], "actions": ["deploy"],
        })
    };
    let gitlab = json!({ "project_id": "5", "namespace_id": "6", "ref": "refs/heads/main" });
    let organization = "0184990a-477b-4fa8-9968-496074483cee";
    let buildkite =
        json!({ "organization_id": organization, "pipeline_slug": "agents", "ref": "refs/heads/main" });
    let api = Api::with_policy(&[
        operators(),
        rule("gitlab", gitlab.clone()),
        rule("buildkite", buildkite.clone()),
    ]);
    let is_allowed = |service: &str, claims: &Value, git_ref: &Value| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().remove("ref");
        for (name, value) in git_ref.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let body = json!({
            "identity": { service: claims }, "action": "deploy", "namespace": "dotdo-staging", "worker": "agents",
        });
        explain(&api, &api.bootstrap(), &body).unwrap()["allowed"] == true
    };
    for (git_ref, expected) in [
        (json!({ "ref": "refs/heads/main" }), true),
        (json!({ "ref": "main", "ref_path": "refs/heads/main" }), true),
        (json!({ "ref": "main", "ref_type": "branch" }), true),
        (json!({ "ref": "main" }), true),
        (json!({ "ref": "main", "ref_type": "tag" }), false),
        (json!({ "ref": "main", "ref_path": "refs/tags/main" }), false),
        (json!({}), false),
    ] {
        assert_eq!(is_allowed("gitlab", &gitlab, &git_ref), expected, "{git_ref}");
    }
    for (git_ref, expected) in [
        (json!({ "ref": "refs/heads/main" }), true),
        (json!({ "build_branch": "main" }), true),
        (json!({ "build_branch": "main", "build_tag": "" }), true),
        (json!({ "build_branch": "main", "build_tag": "v1" }), false),
        (json!({}), false),
    ] {
        assert_eq!(
            is_allowed("buildkite", &buildkite, &git_ref),
            expected,
            "{git_ref}"
        );
    }
}

#[test]
fn a_malformed_explain_request_returns_the_reason() {
    let api = Api::new();
    for (body, code) in [
        (json!({}), Code::BodyInvalid),
        (json!({ "action": "publish" }), Code::BodyInvalid),
        (
            json!({ "action": "deploy", "namespace": "staging" }),
            Code::ParameterInvalid,
        ),
        (
            json!({ "action": "deploy", "worker": "agents" }),
            Code::ParameterInvalid,
        ),
        (
            json!({ "action": "deploy", "namespace": "dotdo-staging", "worker": "A" }),
            Code::ParameterInvalid,
        ),
        (
            json!({ "action": "deploy", "identity": { "github": { "repository_id": 7 } } }),
            Code::BodyInvalid,
        ),
    ] {
        assert_eq!(
            explain(&api, &api.bootstrap(), &body).unwrap_err().code,
            code,
            "{body}"
        );
    }
}

#[test]
fn a_pull_request_deploys_only_its_previews_and_a_fork_needs_the_workflow_with_the_label() {
    let documentation = include_str!("../../../docs/deploy-api.md");
    let documented = |name: &str| -> Value {
        let at = documentation.find(&format!("\"name\": \"{name}\"")).unwrap();
        let begin = documentation[..at].rfind('{').unwrap();
        let mut rule = serde_json::Deserializer::from_str(&documentation[begin..]).into_iter();
        rule.next().unwrap().unwrap()
    };
    let rules = ["agents-previews", "agents-previews-of-forks"].map(documented);
    let api = Api::with_policy(&[&rules[..], &[operators()]].concat());
    let explained = |namespace: &str, worker: &str, action: &str, claims: &[(&str, &str)]| {
        let mut github = json!({
            "repository": "drivly/agents", "repository_id": "1001", "repository_owner_id": "2002",
            "event_name": "pull_request", "ref": "refs/pull/7/merge",
            "workflow_ref": "drivly/agents/.github/workflows/preview.yml@refs/pull/7/merge",
        });
        for (name, value) in claims {
            github[*name] = json!(value);
        }
        let body = json!({
            "identity": { "github": github }, "action": action, "namespace": namespace, "worker": worker,
        });
        explain(&api, &api.bootstrap(), &body).unwrap()
    };
    let development = "dotdo-development";
    let own = [("head_repository", "Drivly/Agents")];
    let merged = [("ref", "refs/heads/main")];
    for (action, claims) in [("deploy", &[][..]), ("deploy", &own[..]), ("delete", &merged[..])] {
        let answer = explained(development, "agents-pr-7", action, claims);
        assert_eq!(answer["rule"], "agents-previews", "{answer}");
    }
    for (namespace, worker, action, claims) in [
        (development, "agents", "deploy", vec![]),
        (development, "agents-pr-7", "secrets", vec![]),
        ("dotdo-staging", "agents-pr-7", "deploy", vec![]),
        (development, "agents-pr-7", "deploy", vec![("event_name", "push")]),
        (
            development,
            "agents-pr-7",
            "deploy",
            vec![("repository_id", "6666")],
        ),
        (
            development,
            "agents-pr-7",
            "deploy",
            vec![("event_name", "pull_request_target")],
        ),
    ] {
        let answer = explained(namespace, worker, action, &claims);
        assert_eq!(
            answer["allowed"], false,
            "{namespace} {worker} {action} {claims:?}"
        );
    }
    let fork = [("head_repository", "mallory/agents")];
    let answer = explained(development, "agents-pr-7", "deploy", &fork);
    assert_eq!(answer["allowed"], false);
    let lines = answer["explanation"]["lines"].to_string();
    for expected in ["the fork mallory/agents", "no OIDC token", "add the label"] {
        assert!(lines.contains(expected), "{lines}");
    }
    let privileged = [
        ("head_repository", "mallory/agents"),
        ("event_name", "pull_request_target"),
        ("ref", "refs/heads/main"),
        (
            "workflow_ref",
            "drivly/agents/.github/workflows/fork-preview.yml@refs/heads/main",
        ),
    ];
    let answer = explained(development, "agents-pr-7", "deploy", &privileged);
    assert_eq!(answer["rule"], "agents-previews-of-forks", "{answer}");
}
