//! `/v1/audit/segments`, and the links to the archive in `/v1/audit`.

use deploy_api::audit::{CheckpointKey, SegmentRecord};
use deploy_api::code::Code;
use deploy_api::ledger::calls::{audit, audit_segments};
use deploy_api::problem::Problem;
use deploy_api::store::audit_archive::{self as archive, ArchiveRules};
use deploy_api::store::audit_segments::segment;
use deploy_api::store::batch_limits::BatchLimits;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::audit_calls::{api, list};
use crate::support::api::{Api, json_of, position_of};
use crate::support::callers::person;
use crate::support::time::at;

/// Archives the log in segments of two entries until one entry is left in the ledger.
fn archive_all(api: &Api) {
    let rules = ArchiveRules {
        kept: 1,
        segment: BatchLimits {
            entries: 2,
            bytes: 1 << 20,
        },
    };
    let key = CheckpointKey::from_hex(&SecretString::from("5a".repeat(32))).unwrap();
    while let Some((header, lines)) = archive::due(&api.sql, rules).unwrap() {
        let (segment, _) = SegmentRecord::write(header, &lines, &key).unwrap();
        archive::confirm(&api.sql, &segment, rules, at(0)).unwrap();
    }
}

#[test]
fn a_page_names_the_first_entry_that_is_kept_and_links_the_archive() {
    let api = api(5);
    let before = json_of(&list(&api, &[]).unwrap());
    assert_eq!(
        (&before["first"], &before["segments"], &before["segments_cursor"]),
        (&json!(1), &json!([]), &Value::Null)
    );
    archive_all(&api);
    let page = json_of(&list(&api, &[]).unwrap());
    assert_eq!(
        (page["items"].as_array().unwrap().len(), &page["first"]),
        (1, &json!(5))
    );
    assert_eq!(
        page["segments"],
        json!([
            { "first": 3, "last": 4, "hash": before["items"][1]["hash"], "url": "/v1/audit/segments/3" },
            { "first": 1, "last": 2, "hash": before["items"][3]["hash"], "url": "/v1/audit/segments/1" }
        ])
    );
    let parameters = [("namespace", "dotdo-staging"), ("worker", "agents")];
    let own = api.request(|access| audit::list(access, &person("alice"), &parameters));
    let own = json_of(&own.unwrap());
    assert_eq!((&own["first"], own.get("segments")), (&json!(5), None));
}

#[test]
fn a_page_links_the_newest_20_segments_and_the_cursor_of_the_rest() {
    let api = api(45);
    archive_all(&api);
    let page = json_of(&list(&api, &[]).unwrap());
    let segments = page["segments"].as_array().unwrap();
    assert_eq!((segments.len(), &segments[19]["first"]), (20, &json!(5)));
    let rest = list_segments(&api, &[("cursor", page["segments_cursor"].as_str().unwrap())]).unwrap();
    let firsts: Vec<_> = rest["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["first"])
        .collect();
    assert_eq!(
        (firsts, &rest["cursor"]),
        (vec![&json!(3), &json!(1)], &Value::Null)
    );
}

fn list_segments(api: &Api, parameters: &[(&str, &str)]) -> Result<Value, Problem> {
    let bootstrap = api.bootstrap();
    api.request(|access| audit_segments::list(access, &bootstrap, parameters))
        .map(|answer| json_of(&answer))
}

#[test]
fn the_archived_segments_are_listed_and_found_by_their_first_entry() {
    let api = api(7);
    archive_all(&api);
    let page = list_segments(&api, &[("limit", "2")]).unwrap();
    assert_eq!(page["items"][0]["first"], 5);
    assert_eq!(position_of("audit segments", &page["cursor"]), "3");
    let rest = list_segments(
        &api,
        &[("limit", "2"), ("cursor", page["cursor"].as_str().unwrap())],
    )
    .unwrap();
    let stored = segment(&api.sql, 1).unwrap().unwrap();
    assert_eq!(
        rest,
        json!({
            "items": [{
                "first": 1, "last": 2, "previous": "0".repeat(64), "hash": stored.header.hash.to_string(),
                "url": "/v1/audit/segments/1", "sha256": stored.signature.sha256, "key": stored.signature.key,
                "signature": stored.signature.signature,
            }],
            "cursor": null
        })
    );
    for bad in [("cursor", "x"), ("limit", "0"), ("order", "oldest")] {
        assert_eq!(
            list_segments(&api, &[bad]).unwrap_err().code,
            Code::ParameterInvalid
        );
    }
    let bootstrap = api.bootstrap();
    let segment = |first: &str| api.request(|access| audit_segments::get(access, &bootstrap, first));
    assert_eq!(segment("1"), Ok(stored));
    for unknown in ["2", "99", "x", "-1", ""] {
        assert_eq!(segment(unknown).unwrap_err().code, Code::PathUnknown, "{unknown}");
    }
}
