//! The program itself, over logs as an outsider has them.
#![allow(clippy::unwrap_used, reason = "what a test is built from may fail it, too")]

use std::path::PathBuf;
use std::process::Command;

use deploy_api::audit::chain::{Head, Link};
use deploy_api::audit::{CheckpointKey, Client, Entry, Outcome, Verb};
use jiff::Timestamp;
use secrecy::SecretString;
use tempfile::TempDir;

fn key(digits: &str) -> CheckpointKey {
    CheckpointKey::from_hex(&SecretString::from(digits.repeat(32))).unwrap()
}

fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

/// A log of these Workers' deploys, a line each, and its heads from the empty one on.
fn log(workers: &[&str]) -> (Vec<String>, Vec<Head>) {
    let mut heads = vec![Head::GENESIS];
    let mut lines = Vec::new();
    for worker in workers {
        let before = *heads.last().unwrap();
        let mut entry = Entry::new(now(), Verb::Deploy, Outcome::Succeeded, Client::default());
        entry.worker = Some((*worker).to_owned());
        let (after, canonical) = before.append(&entry).unwrap();
        let link = Link {
            sequence: after.size,
            previous: before.hash,
            hash: after.hash,
            entry: serde_json::from_str(&canonical).unwrap(),
        };
        lines.push(serde_json::to_string(&link).unwrap());
        heads.push(after);
    }
    (lines, heads)
}

struct Outsider(TempDir);

impl Outsider {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn keep(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Whether the log passes, and what is said.
    fn check(&self, lines: &[String], checkpoints: &[Head], public: &str) -> (bool, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_audit-verify"));
        command
            .arg("--log")
            .arg(self.keep("log", &lines.join("\n")))
            .arg("--key")
            .arg(public);
        for (number, head) in checkpoints.iter().enumerate() {
            let text = serde_json::to_string(&key("5a").sign(*head, now())).unwrap();
            command
                .arg("--checkpoint")
                .arg(self.keep(&format!("checkpoint-{number}"), &text));
        }
        let output = command.output().unwrap();
        let said = String::from_utf8(if output.status.success() {
            output.stdout
        } else {
            output.stderr
        })
        .unwrap();
        (output.status.success(), said)
    }
}

/// That a log fails the check, with this said.
fn fails(lines: &[String], checkpoints: &[Head], said: &str) {
    let (good, found) = Outsider::new().check(lines, checkpoints, &key("5a").public());
    assert!(!good && found.contains(said), "{found}");
}

#[test]
fn a_log_that_goes_on_from_its_checkpoints_passes() {
    let (lines, heads) = log(&["a", "b", "c"]);
    let (good, said) = Outsider::new().check(&lines, &[heads[0], heads[2]], &key("5a").public());
    assert!(good, "{said}");
    assert_eq!(
        said,
        format!(
            "The chain is whole: 3 entries, head {}.\nThe first 2 are those that were signed at 2026-11-24T12:00:00Z; \
             1 came later, and no checkpoint vouches for them yet.\n",
            heads[3].hash
        )
    );
}

#[test]
fn a_log_that_was_rewritten_hashes_and_all_fails() {
    let (_, heads) = log(&["a", "b", "c"]);
    let (rewritten, _) = log(&["a", "mallory", "c"]);
    fails(
        &rewritten,
        &[heads[3]],
        "was signed at 2026-11-24T12:00:00Z: the log was rewritten",
    );
}

#[test]
fn a_log_whose_end_was_cut_off_fails() {
    let (lines, heads) = log(&["a", "b", "c"]);
    fails(
        &lines[..2],
        &[heads[3]],
        "the log has 2 entries, but 3 were signed at",
    );
    fails(&[], &[heads[1]], "the log has 0 entries, but 1 were signed at");
}

#[test]
fn a_changed_entry_fails_at_its_place() {
    let (mut lines, heads) = log(&["a", "b", "c"]);
    lines[1] = lines[1].replace("\"b\"", "\"mallory\"");
    fails(&lines, &[heads[3]], "the chain is broken at entry 2");
}

#[test]
fn a_part_of_a_log_is_told_from_a_broken_one() {
    let (lines, heads) = log(&["a", "b", "c"]);
    fails(
        &lines[1..],
        &[heads[3]],
        "the log begins with entry 2; export it from the first",
    );
}

#[test]
fn what_is_no_log_is_said() {
    let (_, heads) = log(&["a"]);
    fails(&["{}".to_owned()], &[heads[1]], "line 1 is no exported entry");
}

#[test]
fn a_checkpoint_of_another_key_proves_nothing() {
    let (lines, heads) = log(&["a"]);
    let (good, said) = Outsider::new().check(&lines, &[heads[1]], &key("5b").public());
    assert!(
        !good && said.contains("the checkpoint is signed by the key"),
        "{said}"
    );
}
