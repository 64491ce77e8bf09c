//! `/v1/audit`.

use deploy_api::audit::{Action, Checkpoint, CheckpointKey, Client, Entry, Outcome};
use deploy_api::code::Code;
use deploy_api::ledger::calls::{Answer, Content, audit, audit_segments};
use deploy_api::policy::{Caller, Scope};
use deploy_api::problem::Problem;
use deploy_api::sql::Sql;
use deploy_api::store::audit_log::{self, WINDOW};
use dotdo_names::Environment::{self, Production, Staging};
use secrecy::SecretString;
use serde_json::{Value, json};

use deploy_api::identity::{TOKEN_ENTROPY, Token, TokenKind};

use crate::support::api::{Api, json_of, position_of};
use crate::support::callers::{grant, person, target};
use crate::support::rules::{alice, with};
use crate::support::time::at;

/// An API with this number of recorded denials.
pub fn api(entries: usize) -> Api {
    let api = Api::with_policy(&[alice()]);
    for entry in 0..entries {
        let unknown = Token::mint(TokenKind::Api, [u8::try_from(entry).unwrap(); TOKEN_ENTROPY]);
        api.set_address(&format!("198.51.100.{entry}"));
        api.authenticate(unknown.reveal()).unwrap_err();
    }
    api.set_address("192.0.2.1");
    api
}

pub fn list(api: &Api, parameters: &[(&str, &str)]) -> Result<Answer, Problem> {
    let bootstrap = api.bootstrap();
    api.request(|access| audit::list(access, &bootstrap, parameters))
}

#[test]
fn the_newest_entry_comes_first_and_pages_follow() {
    let api = api(3);
    let page = json_of(&list(&api, &[("limit", "2")]).unwrap());
    let sequences: Vec<_> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["sequence"].clone())
        .collect();
    assert_eq!(sequences, [3, 2]);
    assert_eq!(page["items"][0]["previous"], page["items"][1]["hash"]);
    let rest = json_of(
        &list(
            &api,
            &[("limit", "2"), ("cursor", page["cursor"].as_str().unwrap())],
        )
        .unwrap(),
    );
    assert_eq!(
        (&rest["items"][0]["sequence"], &rest["cursor"]),
        (&json!(1), &Value::Null)
    );
}

#[test]
fn an_export_has_a_line_for_each_entry() {
    let api = api(3);
    let answer = list(&api, &[("format", "ndjson"), ("order", "oldest"), ("limit", "2")]).unwrap();
    let Content::JsonLines { text, cursor } = answer.content else {
        panic!("no lines")
    };
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        (
            lines.len(),
            &lines[1]["sequence"],
            position_of("audit log", &json!(cursor))
        ),
        (2, &json!(2), "2".to_owned())
    );
}

#[test]
fn an_invalid_parameter_is_rejected() {
    let api = api(0);
    for bad in [("format", "csv"), ("worker_name", "x"), ("limit", "many")] {
        assert_eq!(
            list(&api, &[bad]).unwrap_err().code,
            Code::ParameterInvalid,
            "{bad:?}"
        );
    }
}

/// Records a change of each of these Workers, one a minute, after an unknown token.
fn with_changes(changes: &[(Environment, &str)]) -> Api {
    let api = api(1);
    for (minute, (environment, worker)) in (1..).zip(changes) {
        let entry = Entry::new(
            at(60 * minute),
            Action::Deploy,
            Outcome::Succeeded,
            Client::default(),
        )
        .about(&target(*environment, worker));
        audit_log::append(&api.sql, &entry).unwrap();
    }
    api
}

fn read(api: &Api, caller: &Caller, parameters: &[(&str, &str)]) -> Result<Value, Problem> {
    api.request(|access| audit::list(access, caller, parameters))
        .map(|answer| json_of(&answer))
}

/// The Workers of the entries of a page.
fn workers(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["entry"]["worker"].as_str().unwrap_or("none"))
        .collect()
}

#[test]
fn a_reader_sees_exactly_the_entries_of_what_they_may_read() {
    let api = with_changes(&[
        (Staging, "agents"),
        (Staging, "billing"),
        (Production, "agents"),
        (Staging, "agents-mail"),
        (Staging, "agents"),
    ]);
    let namespace_entry = Entry::new(at(400), Action::Lock, Outcome::Succeeded, Client::default())
        .about_namespace(Staging.into());
    audit_log::append(&api.sql, &namespace_entry).unwrap();
    let alice = person("alice");
    let own = read(&api, &alice, &[]).unwrap();
    assert_eq!(workers(&own), ["none", "agents", "agents"]);
    assert_eq!(
        own["segments"],
        Value::Null,
        "the archive has the entries of all Workers"
    );
    for filters in [
        &[("namespace", "dotdo-staging")][..],
        &[("namespace", "dotdo-staging"), ("since", "2027-01-15T07:00:00Z")],
        &[("order", "oldest")],
    ] {
        assert_eq!(
            read(&api, &alice, filters).unwrap()["items"]
                .as_array()
                .unwrap()
                .len(),
            3,
            "{filters:?}"
        );
    }
    for filters in [
        &[("worker", "agents")][..],
        &[("namespace", "dotdo-staging"), ("worker", "agents")],
    ] {
        assert_eq!(
            workers(&read(&api, &alice, filters).unwrap()),
            ["agents", "agents"],
            "{filters:?}"
        );
    }
    let last_hour = [("namespace", "dotdo-staging"), ("since", "2027-01-15T08:04:30Z")];
    assert_eq!(
        workers(&read(&api, &alice, &last_hour).unwrap()),
        ["none", "agents"]
    );
    assert_eq!(
        workers(&read(&api, &alice, &[("worker", "billing")]).unwrap()),
        [""; 0]
    );
    assert_eq!(workers(&read(&api, &api.bootstrap(), &[]).unwrap()).len(), 7);
}

#[test]
fn a_reader_is_denied_what_they_may_not_read_at_all() {
    let api = with_changes(&[(Staging, "agents")]);
    for (caller, filters) in [
        ("alice", vec![("namespace", "dotdo-production")]),
        (
            "alice",
            vec![("namespace", "dotdo-production"), ("worker", "agents")],
        ),
        (
            "alice",
            vec![("namespace", "dotdo-staging"), ("worker", "billing")],
        ),
        ("bob", vec![]),
        ("bob", vec![("worker", "agents")]),
    ] {
        let problem = read(&api, &person(caller), &filters).unwrap_err();
        assert_eq!(problem.code, Code::PermissionDenied, "{caller} {filters:?}");
    }
}

#[test]
fn a_token_reads_only_what_its_grants_allow() {
    let everything = with(
        with(alice(), "/workers", json!(["*"])),
        "/namespaces",
        json!(["dotdo-staging", "dotdo-production"]),
    );
    let api = Api::with_policy(&[everything]);
    for worker in ["agents", "agents-mail", "billing"] {
        let entry = Entry::new(at(1), Action::Deploy, Outcome::Succeeded, Client::default())
            .about(&target(Staging, worker));
        audit_log::append(&api.sql, &entry).unwrap();
    }
    let mut caller = person("alice");
    caller.scope = Scope::Grants(vec![
        grant(&["dotdo-staging"], &["agents-*"], &["read"]),
        grant(&["dotdo-staging"], &["billing"], &["deploy"]),
        grant(&["dotdo-development"], &["*"], &["read"]),
    ]);
    assert_eq!(workers(&read(&api, &caller, &[]).unwrap()), ["agents-mail"]);
}

#[test]
fn a_page_passes_over_a_limited_number_of_entries_that_the_caller_may_not_read() {
    let api = with_changes(&[(Staging, "agents")]);
    let other = Entry::new(at(100), Action::Deploy, Outcome::Succeeded, Client::default())
        .about(&target(Staging, "billing"));
    api.sql
        .transaction(|| (0..WINDOW).try_for_each(|_| audit_log::append(&api.sql, &other).map(drop)))
        .unwrap();
    let alice = person("alice");
    let first = read(&api, &alice, &[]).unwrap();
    assert_eq!(workers(&first), [""; 0]);
    let cursor = first["cursor"].as_str().unwrap();
    let second = read(&api, &alice, &[("cursor", cursor)]).unwrap();
    assert_eq!(
        (workers(&second), &second["cursor"]),
        (vec!["agents"], &Value::Null)
    );
    let oldest = read(&api, &alice, &[("order", "oldest")]).unwrap();
    assert_eq!(workers(&oldest), ["agents"]);
    let rest = [
        ("order", "oldest"),
        ("cursor", oldest["cursor"].as_str().unwrap()),
    ];
    let rest = read(&api, &alice, &rest).unwrap();
    assert_eq!((workers(&rest), &rest["cursor"]), (vec![], &Value::Null));
    let named = [("namespace", "dotdo-staging"), ("worker", "agents")];
    assert_eq!(
        workers(&read(&api, &alice, &named).unwrap()),
        ["agents"],
        "an index finds it"
    );
}

#[test]
fn a_duplicate_filter_is_rejected() {
    let api = api(1);
    let twice = [
        ("namespace", "dotdo-staging"),
        ("worker", "agents"),
        ("worker", "billing"),
    ];
    let outcome = api.request(|access| audit::list(access, &person("alice"), &twice));
    assert_eq!(outcome.unwrap_err().code, Code::ParameterInvalid);
}

fn verify(api: &Api, parameters: &[(&str, &str)]) -> Result<Value, Problem> {
    let bootstrap = api.bootstrap();
    api.request(|access| audit::verify(access, &bootstrap, parameters))
        .map(|answer| json_of(&answer))
}

#[test]
fn the_chain_is_verified_on_request() {
    let api = api(3);
    let walk = || verify(&api, &[]).unwrap();
    let head = audit_log::head(&api.sql).unwrap();
    assert_eq!(
        walk(),
        json!({ "whole": true, "first": 1, "size": 3, "head": head.hash.to_string(), "cursor": null })
    );
    api.sql.tamper(
        "DROP TRIGGER audit_is_never_changed;
         UPDATE audit SET entry = replace(entry, 'denied', 'failed') WHERE sequence = 2",
    );
    let broken = walk();
    assert_eq!(
        (&broken["whole"], &broken["broken_at"]),
        (&json!(false), &json!(2))
    );
    assert!(
        broken["how"].as_str().unwrap().ends_with("the entry was changed"),
        "{broken}"
    );
}

#[test]
fn a_long_chain_is_verified_in_steps() {
    let api = api(0);
    for _ in 0..1001 {
        let entry = Entry::new(at(0), Action::Lock, Outcome::Denied, Client::default());
        audit_log::append(&api.sql, &entry).unwrap();
    }
    let step = verify(&api, &[]).unwrap();
    assert_eq!((&step["whole"], &step["size"]), (&json!(true), &json!(1000)));
    let cursor = step["cursor"].as_str().unwrap();
    assert!(!cursor.contains(step["head"].as_str().unwrap()));
    let last = verify(&api, &[("cursor", cursor)]).unwrap();
    assert_eq!((&last["size"], &last["cursor"]), (&json!(1001), &Value::Null));
    let position = format!("1000-{}", step["head"].as_str().unwrap());
    let audit_log = json_of(&list(&api, &[("limit", "1")]).unwrap());
    let other_list = audit_log["cursor"].as_str().unwrap();
    for bad in [
        "",
        "1000",
        "x-y",
        &position,
        &cursor[1..],
        &cursor.to_uppercase(),
        other_list,
    ] {
        let problem = verify(&api, &[("cursor", bad)]).unwrap_err();
        assert_eq!(problem.code, Code::ParameterInvalid, "{bad}");
    }
}

#[test]
fn a_checkpoint_is_the_signed_head() {
    let api = api(3);
    let bootstrap = api.bootstrap();
    let key = CheckpointKey::from_hex(&SecretString::from("5a".repeat(32))).unwrap();
    let checkpoint = |key| api.request(|access| audit::checkpoint(access, &bootstrap, key));
    let answer = json_of(&checkpoint(Some(&key)).unwrap());
    let signed: Checkpoint = serde_json::from_value(answer.clone()).unwrap();
    assert_eq!(signed.verify(&key.public()), Ok(()));
    assert_eq!(
        (&answer["size"], &answer["time"]),
        (&json!(3), &json!("2027-01-15T08:00:01Z"))
    );
    let problem = checkpoint(None).unwrap_err();
    assert_eq!(
        (problem.code, problem.code.status()),
        (Code::CheckpointKeyMissing, 503)
    );
}

#[test]
fn the_log_requires_permission() {
    let api = api(1);
    let bob = person("bob");
    for outcome in [
        api.request(|access| audit::verify(access, &bob, &[])),
        api.request(|access| audit_segments::list(access, &bob, &[])),
        api.request(|access| audit::checkpoint(access, &bob, None)),
    ] {
        assert_eq!(outcome.unwrap_err().code, Code::PermissionDenied);
    }
    let segment = api.request(|access| audit_segments::get(access, &bob, "1"));
    assert_eq!(segment.unwrap_err().code, Code::PermissionDenied);
}

fn break_glass(api: &Api, caller: &Caller, body: &Value) -> Result<Value, Problem> {
    api.request(|access| audit::break_glass(access, caller, body.to_string().as_bytes()))
        .map(|answer| json_of(&answer))
}

fn account() -> Value {
    json!({
        "namespace": "dotdo-production", "worker": "agents", "at": "2027-01-15T07:00:00Z",
        "why": "the API was down; deployed 1.2.3 with wrangler"
    })
}

#[test]
fn a_change_made_without_the_api_is_recorded_afterwards() {
    let api = api(0);
    assert_eq!(
        break_glass(&api, &api.bootstrap(), &account()).unwrap(),
        json!({ "sequence": 1 })
    );
    let entry = api.last_entry();
    assert_eq!(
        (&entry["verb"], &entry["worker"]),
        (&json!("break_glass"), &json!("agents"))
    );
    assert_eq!(entry["time"], "2027-01-15T08:00:01.000Z", "when it was recorded");
    assert_eq!(
        entry["subject"],
        json!({
            "kind": "break_glass", "at": "2027-01-15T07:00:00.000Z",
            "why": "the API was down; deployed 1.2.3 with wrangler"
        })
    );
}

#[test]
fn an_unauthorized_or_invalid_break_glass_record_is_rejected() {
    let api = api(0);
    assert_eq!(
        break_glass(&api, &person("alice"), &account()).unwrap_err().code,
        Code::PermissionDenied
    );
    for (name, value) in [
        ("namespace", json!("production")),
        ("worker", json!("Agents")),
        ("at", json!("2027-01-15T08:00:02Z")),
        ("why", json!(" ")),
        ("why", json!("x".repeat(1001))),
        ("who", json!("alice")),
    ] {
        let mut body = account();
        body[name] = value;
        assert_eq!(
            break_glass(&api, &api.bootstrap(), &body).unwrap_err().code,
            Code::BodyInvalid,
            "{name}"
        );
    }
    assert_eq!(api.record().len(), 1, "only the denial");
}
