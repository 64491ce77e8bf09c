//! `dotdo audit verify` on exported logs.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failure of the setup fails the test"
)]

use std::process::Command;

use deploy_api::audit::chain::{Head, Link};
use deploy_api::audit::{Action, CheckpointKey, Client, Entry, Outcome, SegmentHeader, SegmentRecord};
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
        let mut entry = Entry::new(now(), Action::Deploy, Outcome::Succeeded, Client::default());
        entry.worker = Some((*worker).to_owned());
        let (after, canonical) = before.append(&entry).unwrap();
        let link = Link {
            sequence: after.size,
            previous: before.hash,
            hash: after.hash,
            entry: serde_json::from_str::<serde_json::Value>(&canonical).unwrap(),
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

/// Runs the program with these arguments and files, each of which has a name in the arguments.
fn run(arguments: &[&str], files: &[(&str, Vec<u8>)]) -> Verification {
    let folder = TempDir::new().unwrap();
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    let output = Command::new(env!("CARGO_BIN_EXE_dotdo"))
        .current_dir(folder.path())
        .args(["audit", "verify"])
        .args(arguments)
        .output()
        .unwrap();
    let succeeded = output.status.success();
    let output = if succeeded { output.stdout } else { output.stderr };
    Verification {
        succeeded,
        output: String::from_utf8(output).unwrap(),
    }
}

/// Runs the program on a log, with one checkpoint for each head, signed with the key `5a…`.
fn verify(lines: &[String], checkpoints: &[Head], public_key: &str) -> Verification {
    let names: Vec<_> = (0..checkpoints.len())
        .map(|number| format!("checkpoint-{number}"))
        .collect();
    let mut arguments = vec!["--log", "log", "--key", public_key];
    let mut files = vec![("log", lines.join("\n").into_bytes())];
    for (name, head) in names.iter().zip(checkpoints) {
        arguments.extend(["--checkpoint", name]);
        let checkpoint = key("5a").sign(*head, now());
        files.push((name, serde_json::to_vec(&checkpoint).unwrap()));
    }
    run(&arguments, &files)
}

/// The archived segment of the entries after one head up to another, signed with the key of these digits.
fn segment(lines: &[String], heads: &[Head], first: usize, last: usize, digits: &str) -> Vec<u8> {
    let header = SegmentHeader::new(heads[first - 1], heads[last]);
    let lines = lines[first - 1..last].join("\n");
    SegmentRecord::write(header, &lines, &key(digits)).unwrap().1
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
            "The log is intact: 3 entries, head {}.\nThe first 2 entries match the checkpoint that was signed at \
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
        "the file begins with entry 2, but entry 1 is missing",
    );
}

#[test]
fn rejects_a_file_that_is_not_a_log() {
    let (_, heads) = log(&["a"]);
    assert_rejected(&["{}".to_owned()], &[heads[1]], "line 1 is not an exported entry");
}

#[test]
fn rejects_a_file_that_is_not_a_checkpoint() {
    let public = key("5a").public();
    let arguments = ["--log", "log", "--key", &public, "--checkpoint", "x"];
    let Verification { succeeded, output } = run(&arguments, &[("log", Vec::new()), ("x", b"{}".to_vec())]);
    assert!(
        !succeeded && output.contains("x: this is not a checkpoint"),
        "{output}"
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

/// A log of six entries: the export of the last two, and the segments of the entries 1 and 2, and 3 and 4.
struct Archived {
    files: Vec<(&'static str, Vec<u8>)>,
    lines: Vec<String>,
    heads: Vec<Head>,
}

impl Archived {
    fn new() -> Self {
        let (lines, heads) = log(&["a", "b", "c", "d", "e", "f"]);
        let checkpoint = serde_json::to_vec(&key("5a").sign(heads[3], now())).unwrap();
        let files = vec![
            ("log", lines[4..].join("\n").into_bytes()),
            ("checkpoint", checkpoint),
            ("one", segment(&lines, &heads, 1, 2, "5a")),
            ("two", segment(&lines, &heads, 3, 4, "5a")),
        ];
        Self { files, lines, heads }
    }

    fn replace(&mut self, name: &str, content: Vec<u8>) {
        let (_, file) = self.files.iter_mut().find(|(known, _)| *known == name).unwrap();
        *file = content;
    }

    /// Runs the program with the log, the checkpoint and the public key of `5a…`, and these segments.
    fn verify(&self, segments: &[&str]) -> Verification {
        let public = key("5a").public();
        let options = ["--log", "log", "--checkpoint", "checkpoint", "--key", &public];
        run(&[&options, segments].concat(), &self.files)
    }

    fn assert_rejected(&self, segments: &[&str], expected: &str) {
        let Verification { succeeded, output } = self.verify(segments);
        assert!(!succeeded && output.contains(expected), "{output}");
    }
}

#[test]
fn accepts_segments_in_any_order_with_the_rest_of_the_log() {
    let archived = Archived::new();
    for segments in [["one", "two"], ["two", "one"]] {
        let Verification { succeeded, output } = archived.verify(&segments);
        assert!(succeeded, "{output}");
        assert_eq!(
            output,
            format!(
                "The log is intact: 6 entries, head {}.\nArchived segments: 2, all signed by the key.\nThe first 3 entries match the \
                 checkpoint that was signed at 2026-11-24T12:00:00Z. Later entries, which no checkpoint covers: 3.\n",
                archived.heads[6].hash
            )
        );
    }
}

#[test]
fn names_the_first_entry_of_a_segment_that_is_missing() {
    let archived = Archived::new();
    archived.assert_rejected(
        &["one"],
        "log: the file begins with entry 5, but entry 3 is missing",
    );
    archived.assert_rejected(
        &["two"],
        "two: the file begins with entry 3, but entry 1 is missing",
    );
    archived.assert_rejected(&[], "log: the file begins with entry 5, but entry 1 is missing");
}

#[test]
fn accepts_entries_that_are_in_the_export_and_in_a_segment() {
    let mut archived = Archived::new();
    archived.replace("log", archived.lines[2..].join("\n").into_bytes());
    let Verification { succeeded, output } = archived.verify(&["one", "two", "one"]);
    assert!(succeeded, "{output}");
}

#[test]
fn rejects_an_export_that_differs_from_a_segment() {
    let mut archived = Archived::new();
    let (rewritten, _) = log(&["a", "b", "c", "mallory", "e", "f"]);
    archived.replace("log", rewritten.join("\n").into_bytes());
    archived.assert_rejected(
        &["one", "two"],
        "entry 4 differs from the one in an archived segment",
    );
}

#[test]
fn rejects_an_export_with_an_entry_twice_or_left_out() {
    let mut archived = Archived::new();
    let lines = archived.lines.clone();
    archived.replace(
        "log",
        [&lines[4], &lines[4], &lines[5]]
            .map(String::as_str)
            .join("\n")
            .into_bytes(),
    );
    archived.assert_rejected(&["one", "two"], "broken at entry 6");
    archived.replace(
        "log",
        [&lines[2], &lines[4], &lines[5]]
            .map(String::as_str)
            .join("\n")
            .into_bytes(),
    );
    archived.assert_rejected(&["one", "two"], "broken at entry 4");
}

#[test]
fn rejects_a_segment_that_was_changed_or_signed_by_another_key() {
    let mut archived = Archived::new();
    let whole = String::from_utf8(archived.files[3].1.clone()).unwrap();
    archived.replace("two", whole.replace("\"c\"", "\"mallory\"").into_bytes());
    archived.assert_rejected(&["one", "two"], "two: the chain is broken at entry 3");
    let cut: Vec<_> = whole.lines().take(3).collect();
    archived.replace("two", cut.join("\n").into_bytes());
    archived.assert_rejected(&["one", "two"], "two: the header names the entries 3 to 4");
    archived.replace("two", b"{}\n".to_vec());
    archived.assert_rejected(&["one", "two"], "two: this is not an archived segment");
    let forged = segment(&archived.lines, &archived.heads, 3, 4, "5b");
    archived.replace("two", forged);
    archived.assert_rejected(&["one", "two"], "two: the segment is signed by the key");
}

#[test]
fn rejects_segments_that_were_rewritten_and_signed_again() {
    let mut archived = Archived::new();
    let (lines, heads) = log(&["a", "b", "mallory", "d", "e", "f"]);
    archived.replace("two", segment(&lines, &heads, 3, 4, "5a"));
    archived.replace("log", lines[4..].join("\n").into_bytes());
    archived.assert_rejected(&["one", "two"], "the log was rewritten");
}

#[test]
fn verifies_only_the_chain_without_a_key() {
    let archived = Archived::new();
    let Verification { succeeded, output } = run(&["--log", "log", "two", "one"], &archived.files);
    assert!(
        succeeded && output.contains("their signatures were not verified, because no key was given"),
        "{output}"
    );
    let Verification { succeeded, output } = run(&["one"], &archived.files);
    assert!(succeeded && output.contains("intact: 2 entries"), "{output}");
    for arguments in [&["--log", "log", "--checkpoint", "checkpoint"][..], &[]] {
        assert!(!run(arguments, &archived.files).succeeded, "{arguments:?}");
    }
}
