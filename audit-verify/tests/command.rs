//! Runs the program on exported logs.
#![allow(clippy::unwrap_used, reason = "a failure of the setup fails the test")]

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

/// A log with one deploy of each Worker: its lines, and its heads, beginning with that of the empty log.
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

/// The exit code and the output of the program.
struct Verification {
    succeeded: bool,
    /// The standard output of a success, the standard error of a failure.
    output: String,
}

/// Runs the program on a log, with one checkpoint for each head, signed with the key `5a…`.
fn verify(lines: &[String], checkpoints: &[Head], public_key: &str) -> Verification {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, content: &str| -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_audit-verify"));
    command
        .arg("--log")
        .arg(write("log", &lines.join("\n")))
        .arg("--key")
        .arg(public_key);
    for (number, head) in checkpoints.iter().enumerate() {
        let text = serde_json::to_string(&key("5a").sign(*head, now())).unwrap();
        command
            .arg("--checkpoint")
            .arg(write(&format!("checkpoint-{number}"), &text));
    }
    let output = command.output().unwrap();
    let succeeded = output.status.success();
    let output = if succeeded { output.stdout } else { output.stderr };
    Verification {
        succeeded,
        output: String::from_utf8(output).unwrap(),
    }
}

/// Asserts that the program rejects a log with this text.
fn assert_rejected(lines: &[String], checkpoints: &[Head], expected: &str) {
    let Verification { succeeded, output } = verify(lines, checkpoints, &key("5a").public());
    assert!(!succeeded && output.contains(expected), "{output}");
}

#[test]
fn accepts_a_log_that_continues_its_checkpoints() {
    let (lines, heads) = log(&["a", "b", "c"]);
    let Verification { succeeded, output } = verify(&lines, &[heads[0], heads[2]], &key("5a").public());
    assert!(succeeded, "{output}");
    assert_eq!(
        output,
        format!(
            "The log is intact: 3 entries, head {}.\nThe first 2 match the checkpoint that was signed at \
             2026-11-24T12:00:00Z. Later entries, which no checkpoint covers: 1.\n",
            heads[3].hash
        )
    );
}

#[test]
fn rejects_a_log_that_was_rewritten_with_new_hashes() {
    let (_, heads) = log(&["a", "b", "c"]);
    let (rewritten, _) = log(&["a", "mallory", "c"]);
    assert_rejected(
        &rewritten,
        &[heads[3]],
        "was signed at 2026-11-24T12:00:00Z: the log was rewritten",
    );
}

#[test]
fn rejects_a_log_without_its_last_entries() {
    let (lines, heads) = log(&["a", "b", "c"]);
    assert_rejected(
        &lines[..2],
        &[heads[3]],
        "the log has 2 entries, but the checkpoint that was signed at 2026-11-24T12:00:00Z has 3",
    );
    assert_rejected(&[], &[heads[1]], "the log has 0 entries, but the checkpoint");
}

#[test]
fn names_the_entry_that_was_changed() {
    let (mut lines, heads) = log(&["a", "b", "c"]);
    lines[1] = lines[1].replace("\"b\"", "\"mallory\"");
    assert_rejected(&lines, &[heads[3]], "broken at entry 2");
}

#[test]
fn distinguishes_a_partial_export_from_a_broken_chain() {
    let (lines, heads) = log(&["a", "b", "c"]);
    assert_rejected(
        &lines[1..],
        &[heads[3]],
        "the log begins with entry 2: export it from the first entry",
    );
}

#[test]
fn rejects_a_file_that_is_not_a_log() {
    let (_, heads) = log(&["a"]);
    assert_rejected(&["{}".to_owned()], &[heads[1]], "line 1 is not an exported entry");
}

#[test]
fn rejects_a_file_that_is_not_a_checkpoint() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("checkpoint");
    std::fs::write(&file, "{}").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_audit-verify"))
        .args(["--log", "unused", "--key", &key("5a").public(), "--checkpoint"])
        .arg(&file)
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && errors.contains("this is not a checkpoint"),
        "{errors}"
    );
}

#[test]
fn rejects_a_checkpoint_of_another_key() {
    let (lines, heads) = log(&["a"]);
    let Verification { succeeded, output } = verify(&lines, &[heads[1]], &key("5b").public());
    assert!(
        !succeeded && output.contains("the checkpoint is signed by the key"),
        "{output}"
    );
}
