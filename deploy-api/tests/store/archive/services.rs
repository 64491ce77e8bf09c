//! A ledger that is called directly, and an object store in memory.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use deploy_api::audit::{CheckpointKey, Segment};
use deploy_api::bundles::{ByteRange, ObjectHead, ObjectPage, ObjectStore, StoreFailure, UploadedPart};
use deploy_api::ledger::{
    ConfirmSegment, LedgerClient, LedgerFailure, Message, ReadSegment, confirm_segment, read_segment,
};
use deploy_api::store::audit_archive::ArchiveRules;
use deploy_api::store::batch_limits::BatchLimits;
use secrecy::SecretString;

use crate::support::sqlite::Sqlite;
use crate::support::time::at;

/// Ten entries are kept, and a segment has five.
pub const RULES: ArchiveRules = ArchiveRules {
    kept: 10,
    segment: BatchLimits {
        entries: 5,
        bytes: 1024 * 1024,
    },
};

pub fn key() -> CheckpointKey {
    CheckpointKey::from_hex(&SecretString::from("5a".repeat(32))).unwrap()
}

/// The ledger, called directly, which can lose answers.
pub struct Ledger<'a> {
    pub sql: &'a Sqlite,
    pub rules: ArchiveRules,
    /// The message name, and the number of its answers that are lost after the message was handled.
    pub lost: Cell<(&'static str, u32)>,
}

impl<'a> Ledger<'a> {
    pub fn new(sql: &'a Sqlite) -> Self {
        Self {
            sql,
            rules: RULES,
            lost: Cell::new(("", 0)),
        }
    }
}

impl LedgerClient for Ledger<'_> {
    async fn exchange(&self, name: &'static str, message: String) -> Result<String, LedgerFailure> {
        let answer = match name {
            ReadSegment::NAME => serde_json::to_string(&read_segment(self.sql, self.rules)).unwrap(),
            ConfirmSegment::NAME => {
                let message = serde_json::from_str(&message).unwrap();
                serde_json::to_string(&confirm_segment(self.sql, &message, self.rules, at(0))).unwrap()
            }
            _ => panic!("no message is called {name}"),
        };
        let (lost, count) = self.lost.get();
        if lost == name && count > 0 {
            self.lost.set((lost, count - 1));
            let cause = "the connection was closed".to_owned();
            return Err(LedgerFailure { cause });
        }
        Ok(answer)
    }
}

/// An object store in memory that only supports writes.
#[derive(Default)]
pub struct Memory {
    pub objects: RefCell<BTreeMap<String, Vec<u8>>>,
    pub fails: Cell<bool>,
}

impl Memory {
    /// The archived segments, the oldest first.
    pub fn segments(&self) -> Vec<Segment> {
        let objects = self.objects.borrow();
        let read = |object: &Vec<u8>| Segment::read(std::str::from_utf8(object).unwrap()).unwrap();
        objects.values().map(read).collect()
    }
}

impl ObjectStore for Memory {
    async fn put(&self, key: &str, bytes: &[u8]) -> Result<(), StoreFailure> {
        if self.fails.get() {
            return Err(StoreFailure("no answer".to_owned()));
        }
        self.objects.borrow_mut().insert(key.to_owned(), bytes.to_vec());
        Ok(())
    }

    async fn head(&self, _: &str) -> Result<Option<ObjectHead>, StoreFailure> {
        unreachable!()
    }

    async fn get(&self, _: &str, _: Option<ByteRange>) -> Result<Option<Vec<u8>>, StoreFailure> {
        unreachable!()
    }

    async fn delete(&self, _: &[String]) -> Result<(), StoreFailure> {
        unreachable!()
    }

    async fn list(&self, _: &str, _: Option<&str>) -> Result<ObjectPage, StoreFailure> {
        unreachable!()
    }

    async fn create_multipart(&self, _: &str) -> Result<String, StoreFailure> {
        unreachable!()
    }

    async fn upload_part(&self, _: &str, _: &str, _: u16, _: &[u8]) -> Result<UploadedPart, StoreFailure> {
        unreachable!()
    }

    async fn complete_multipart(&self, _: &str, _: &str, _: &[UploadedPart]) -> Result<(), StoreFailure> {
        unreachable!()
    }

    async fn abort_multipart(&self, _: &str, _: &str) -> Result<(), StoreFailure> {
        unreachable!()
    }
}
