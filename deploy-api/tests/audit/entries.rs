//! The canonical JSON of entries, which is hashed.

use deploy_api::audit::chain::Head;
use deploy_api::audit::{
    Action, Binding, Bundle, Client, Entry, LockRecord, Module, Outcome, Reason, SubjectRecord, Upstream,
};
use deploy_api::code::Code;
use deploy_api::policy::RuleName;
use dotdo_names::Environment;
use serde_json::Value;

use crate::support::callers::{caller, run, target};
use crate::support::time::at;

fn client() -> Client {
    Client {
        address: Some("192.0.2.1".to_owned()),
        request_id: "8f1c-FRA".to_owned(),
    }
}

fn canonical(entry: &Entry) -> String {
    Head::GENESIS.append(entry).unwrap().1
}

/// An entry of a deploy with every member that an entry can have.
fn deploy() -> Entry {
    Entry {
        intent: Some(6),
        deployment: Some("d-2".to_owned()),
        previous_deployment: Some("d-1".to_owned()),
        bundle: Some(Bundle {
            digest: "ab".repeat(32),
            metadata: "ef".repeat(32),
            modules: vec![Module {
                name: "index.js".to_owned(),
                sha256: "cd".repeat(32),
                size: 120,
            }],
            compatibility_date: Some("2026-11-01".to_owned()),
            bindings: vec![Binding {
                name: "KEY".to_owned(),
                kind: "secret_text".to_owned(),
            }],
        }),
        upstream: Some(Upstream {
            status: Some(200),
            cf_ray: Some("9a-FRA".to_owned()),
            milliseconds: 812,
        }),
        ..Entry::new(at(0), Action::Deploy, Outcome::Succeeded, client())
            .about(&target(Environment::Production, "agents"))
            .by(&caller(run()))
            .under(Some(&RuleName::parse("agents-production").unwrap()), 3)
    }
}

#[test]
fn an_entry_of_a_deploy_has_identity_bundle_time_and_rule() {
    insta::assert_snapshot!(canonical(&deploy()));
}

#[test]
fn a_failure_has_a_reason() {
    let reason = Reason::code(Code::UpstreamRefused)
        .upstream(10_021)
        .about_binding("KEY")
        .because("a test");
    let entry = Entry::new(at(0), Action::Deploy, Outcome::Failed, client()).because(reason);
    insta::assert_snapshot!(canonical(&entry));
}

#[test]
fn an_entry_of_a_lock_has_reason_and_end() {
    let lock = |until| Entry {
        subject: Some(SubjectRecord::Lock(LockRecord {
            why: "freeze for \"launch\"\n".to_owned(),
            until,
        })),
        ..Entry::new(at(0), Action::Lock, Outcome::Succeeded, client())
            .about_namespace(Environment::Staging.into())
    };
    insta::assert_snapshot!(canonical(&lock(Some(at(60)))));
    insta::assert_snapshot!(canonical(&lock(None)));
}

#[test]
fn times_have_three_digits_so_that_their_texts_sort() {
    let time = |entry: &Entry| serde_json::from_str::<Value>(&canonical(entry)).unwrap()["time"].clone();
    assert_eq!(time(&deploy()), "2027-01-15T08:00:00.000Z");
    let precise = Entry {
        time: "2027-01-15T08:00:00.123456789Z".parse().unwrap(),
        ..deploy()
    };
    assert_eq!(time(&precise), "2027-01-15T08:00:00.123Z");
}

#[test]
fn the_names_of_actions_and_outcomes_match_their_serialized_form() {
    for verb in Action::ALL {
        for outcome in Outcome::ALL {
            let entry = Entry::new(at(0), verb, outcome, client());
            let written: Value = serde_json::from_str(&canonical(&entry)).unwrap();
            assert_eq!(
                (&written["verb"], &written["outcome"]),
                (&verb.name().into(), &outcome.name().into())
            );
        }
    }
}

#[test]
fn a_number_that_would_be_rounded_is_refused() {
    let entry = Entry {
        intent: Some(1 << 53),
        ..deploy()
    };
    assert!(Head::GENESIS.append(&entry).is_err());
}
