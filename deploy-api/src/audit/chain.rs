//! The hash chain: `hash(n) = SHA-256(hash(n - 1) || canonical JSON of entry n)`, with 32 zero bytes before the first.
//!
//! The canonical JSON contains the entry's sequence number, so an entry that is left out, put elsewhere or changed
//! breaks the chain at its place.

use std::fmt;

use data_encoding::HEXLOWER;
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::Entry;
use super::canonical::{self, NotCanonical};
use crate::schema::{HexDigest, same_schema};

/// The SHA-256 of an entry and all before it. Written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash([u8; 32]);

same_schema!(Hash, HexDigest);

/// The text is not a [`Hash`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a hash is 64 hexadecimal digits in lower case")]
pub struct InvalidHash;

impl Hash {
    /// The hash before the first entry.
    pub const GENESIS: Self = Self([0; 32]);

    /// The hash of an entry's canonical JSON after this hash.
    #[must_use]
    pub fn then(self, canonical: &str) -> Self {
        Self(
            Sha256::new()
                .chain_update(self.0)
                .chain_update(canonical)
                .finalize()
                .into(),
        )
    }

    /// Reads 64 hexadecimal digits.
    ///
    /// # Errors
    /// If the text has another form.
    pub fn from_hex(text: &str) -> Result<Self, InvalidHash> {
        HEXLOWER
            .decode(text.as_bytes())
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or(InvalidHash)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_hex(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// One entry in its place in the chain, as it is stored and exported: one line of JSON each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Link", bound = "")]
pub struct Link<E = Value> {
    /// Its place, from 1 without gaps.
    pub sequence: u64,
    /// The hash of the entry before it.
    pub previous: Hash,
    /// Its own hash.
    pub hash: Hash,
    /// The entry. Its sequence number is part of it.
    #[schemars(with = "RecordedEntry")]
    pub entry: E,
}

/// A link whose entry is the text that is stored: a page of the log passes on what the database has.
pub type StoredLink = Link<Box<RawValue>>;

/// An entry of the audit log. Entries of earlier versions can have other members.
#[derive(JsonSchema)]
#[schemars(rename = "Entry", extend("additionalProperties" = true))]
#[expect(dead_code, reason = "only the schema is derived from it")]
struct RecordedEntry {
    /// Its place, from 1 without gaps.
    sequence: u64,
    #[serde(flatten)]
    entry: Entry,
}

/// The head, after which the next entry is appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The number of entries.
    pub size: u64,
    /// The hash of the last one.
    pub hash: Hash,
}

impl Head {
    /// The head of an empty chain.
    pub const GENESIS: Self = Self {
        size: 0,
        hash: Hash::GENESIS,
    };

    /// Puts an entry, which is an [`Entry`](super::Entry) or its JSON without a sequence number, after this head. Returns
    /// the new head and the entry's canonical JSON, to be stored as it is.
    ///
    /// # Errors
    /// If the entry has a value without canonical JSON, such as a number above 2^53 - 1.
    pub fn append(self, entry: &impl Serialize) -> Result<(Self, String), NotCanonical> {
        #[derive(Serialize)]
        struct Placed<'a, E: Serialize> {
            sequence: u64,
            #[serde(flatten)]
            entry: &'a E,
        }
        let size = self.size + 1;
        let canonical = canonical::to_string(&Placed {
            sequence: size,
            entry,
        })?;
        Ok((
            Self {
                size,
                hash: self.hash.then(&canonical),
            },
            canonical,
        ))
    }

    /// Checks that a link continues this head, and returns the head after it.
    ///
    /// # Errors
    /// How the chain is broken at this place.
    pub fn follow(self, link: &Link) -> Result<Self, Broken> {
        let place = self.size + 1;
        let broken = |how| Broken { sequence: place, how };
        if link.sequence != place {
            return Err(broken(Break::Sequence(link.sequence)));
        }
        if link.previous != self.hash {
            return Err(broken(Break::Previous {
                expected: self.hash,
                found: link.previous,
            }));
        }
        if link.entry.get("sequence").and_then(Value::as_u64) != Some(place) {
            return Err(broken(Break::EntrySequence));
        }
        let canonical = canonical::of_value(&link.entry).map_err(|reason| broken(Break::Form(reason)))?;
        let hash = self.hash.then(&canonical);
        if link.hash != hash {
            return Err(broken(Break::Content {
                expected: hash,
                found: link.hash,
            }));
        }
        Ok(Self { size: place, hash })
    }
}

/// A chain that is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// The number of entries.
    pub size: u64,
    /// The hash of the last one.
    pub head: Hash,
}

/// The first place at which a chain is broken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the chain is broken at entry {sequence}: {how}")]
pub struct Broken {
    /// The place, from 1.
    pub sequence: u64,
    /// In which way.
    pub how: Break,
}

/// In which way a chain is broken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Break {
    /// It is not an entry.
    #[error("it cannot be read; the entry was changed")]
    Unreadable,
    /// Entries are missing, doubled or in another order.
    #[error("entry {0} is in its place; entries were removed, added or moved")]
    Sequence(u64),
    /// An entry that an earlier step of the verification has verified is not in the log any more.
    #[error("it was verified before and is not in the log any more; it was removed or replaced")]
    Replaced,
    /// The entry before it is not the one that it was written after.
    #[error(
        "it was written after {found}, but the entry before it has the hash {expected}; that one was replaced"
    )]
    Previous {
        /// The hash of the entry before it.
        expected: Hash,
        /// What it says it was written after.
        found: Hash,
    },
    /// The number inside the entry is not that of its place.
    #[error("the sequence number in the entry differs; the entry was moved or changed")]
    EntrySequence,
    /// The entry has a value that no entry can have.
    #[error("{0}; the entry was changed")]
    Form(NotCanonical),
    /// The entry does not have the hash that is stored with it.
    #[error("its content has the hash {expected}, but {found} is recorded; the entry was changed")]
    Content {
        /// The hash of the content.
        expected: Hash,
        /// The recorded hash.
        found: Hash,
    },
}

/// Verifies a chain from its first entry.
///
/// # Errors
/// The first place at which it is broken.
pub fn verify<'a>(links: impl IntoIterator<Item = &'a Link>) -> Result<Verified, Broken> {
    let mut head = Head::GENESIS;
    for link in links {
        head = head.follow(link)?;
    }
    Ok(Verified {
        size: head.size,
        head: head.hash,
    })
}
