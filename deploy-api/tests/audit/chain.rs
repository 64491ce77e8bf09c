//! Properties of the chain: every changed, removed, added or moved entry is detected, and a valid chain has no errors.

use deploy_api::audit::chain::{Hash, Head, Link, verify};
use deploy_api::audit::{Action, Client, Entry, Outcome};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::time::at;

fn entry(worker: &str) -> Entry {
    let mut entry = Entry::new(at(0), Action::Deploy, Outcome::Succeeded, Client::default());
    entry.worker = Some(worker.to_owned());
    entry
}

fn chain(workers: &[String]) -> Vec<Link> {
    let mut head = Head::GENESIS;
    workers
        .iter()
        .map(|worker| {
            let previous = head.hash;
            let (next, canonical) = head.append(&entry(worker)).unwrap();
            head = next;
            Link {
                sequence: next.size,
                previous,
                hash: next.hash,
                entry: serde_json::from_str(&canonical).unwrap(),
            }
        })
        .collect()
}

#[test]
fn a_hash_is_that_of_the_hash_before_and_the_canonical_entry() {
    let (head, canonical) = Head::GENESIS.append(&entry("agents")).unwrap();
    assert_eq!(
        canonical,
        "{\"client\":{\"request_id\":\"\"},\"outcome\":\"succeeded\",\"sequence\":1,\
         \"time\":\"2027-01-15T08:00:00.000Z\",\"verb\":\"deploy\",\"worker\":\"agents\"}"
    );
    let by_hand = Sha256::new()
        .chain_update([0; 32])
        .chain_update(&canonical)
        .finalize();
    assert_eq!(head.hash.to_string(), data_encoding::HEXLOWER.encode(&by_hand));
}

#[test]
fn a_hash_has_only_one_accepted_format() {
    let text = Hash::GENESIS.then("x").to_string();
    assert_eq!(Hash::from_hex(&text), Ok(Hash::GENESIS.then("x")));
    for bad in [
        "",
        "00",
        &text.to_uppercase(),
        &format!("{text}00"),
        &text.replace('a', "g"),
    ] {
        assert!(bad == text || Hash::from_hex(bad).is_err(), "{bad}");
    }
}

#[test]
fn an_exported_line_is_valid_after_another_tool_reformats_its_json() {
    let links = chain(&["a".to_owned(), "é\u{1}".to_owned()]);
    for link in &links {
        let pretty = serde_json::to_string_pretty(link).unwrap();
        assert_eq!(&serde_json::from_str::<Link>(&pretty).unwrap(), link);
    }
}

fn workers() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(".{0,8}", 1..12)
}

/// Replaces one nested value of an entry.
fn change(entry: &mut Value, how: usize) {
    match how % 5 {
        0 => entry["worker"] = json!("mallory-was-here"),
        1 => entry["added"] = json!(true),
        2 => drop(entry.as_object_mut().unwrap().remove("verb")),
        3 => entry["client"]["request_id"] = json!("other"),
        _ => entry["sequence"] = json!(99),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_unchanged_chain_is_valid(workers in workers()) {
        let links = chain(&workers);
        let verified = verify(&links).unwrap();
        prop_assert_eq!(verified.size, links.len() as u64);
        prop_assert_eq!(Some(verified.head), links.last().map(|link| link.hash));
    }

    #[test]
    fn a_changed_entry_is_reported_with_its_sequence_number(workers in workers(), at in any::<prop::sample::Index>(), how in 0..5_usize) {
        let mut links = chain(&workers);
        let place = at.index(links.len());
        change(&mut links[place].entry, how);
        prop_assert_eq!(verify(&links).unwrap_err().sequence, place as u64 + 1);
    }

    #[test]
    fn a_changed_entry_with_a_matching_hash_is_detected_at_the_next_entry(workers in workers(), at in any::<prop::sample::Index>()) {
        let mut links = chain(&workers);
        let place = at.index(links.len());
        links[place].entry["worker"] = json!("mallory-was-here");
        let canonical = deploy_api::audit::canonical::to_string(&links[place].entry).unwrap();
        links[place].hash = links[place].previous.then(&canonical);
        match verify(&links) {
            // The last entry has no successor; only a checkpoint can detect the change.
            Ok(verified) => prop_assert!(place + 1 == links.len() && verified.head == links[place].hash),
            Err(broken) => prop_assert_eq!(broken.sequence, place as u64 + 2),
        }
    }

    #[test]
    fn a_removed_duplicated_or_moved_entry_is_detected(workers in workers(), at in any::<prop::sample::Index>(), how in 0..3) {
        let whole = chain(&workers);
        let place = at.index(whole.len());
        let mut links = whole.clone();
        match how {
            0 => drop(links.remove(place)),
            1 => links.insert(place, whole[place].clone()),
            _ => links.rotate_left(place),
        }
        // A chain without its last entries is valid but shorter; only a checkpoint can detect it.
        prop_assert!(verify(&links).is_err() || whole.starts_with(&links));
    }
}
