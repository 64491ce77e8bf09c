use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::canonical::{self, NotCanonical};
use super::chain::{Broken, Hash, Head, Link};
use super::checkpoint::{CheckpointKey, is_signature, read_public_key};

/// The first line of the signed text, so that the signature is not valid for anything else.
const CONTEXT: &str = "dotdo deploy-api audit segment v1";

/// The version of the format.
const FORMAT: u32 = 1;

/// The first line of an archived segment: which part of the chain follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentHeader {
    /// The version of the format, 1.
    pub format: u32,
    /// The sequence number of the first entry.
    pub first: u64,
    /// The sequence number of the last entry.
    pub last: u64,
    /// The hash of the entry before the first.
    pub previous: Hash,
    /// The hash of the last entry.
    pub hash: Hash,
}

/// The last line of an archived segment: who signed the lines before it.
///
/// The signed text is two lines, each ended by a line feed: the words `dotdo deploy-api audit segment v1`, and the
/// canonical JSON of the header's members together with `sha256`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentSignature {
    /// The SHA-256 of all lines before this one with their line feeds, in hexadecimal.
    pub sha256: String,
    /// The public key, in hexadecimal.
    pub key: String,
    /// The Ed25519 signature, in hexadecimal.
    pub signature: String,
}

/// What the ledger stores about an archived segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentRecord {
    /// The object's first line.
    pub header: SegmentHeader,
    /// The object's last line.
    pub signature: SegmentSignature,
    /// The key of the object in the object store.
    pub object: String,
}

/// An archived part of the chain: NDJSON with the [`SegmentHeader`], one [`Link`] per line, and the
/// [`SegmentSignature`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Which part of the chain it is.
    pub header: SegmentHeader,
    /// The entries, which continue each other and fit the header.
    pub links: Vec<Link>,
    /// The signature, whose digest is checked.
    pub signature: SegmentSignature,
}

/// Why an object is not a segment, or not the one that was signed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidSegment {
    /// The object is incomplete, or is something else.
    #[error("line {line} is not a line of an archived segment: {reason}")]
    Line {
        /// The number of the line, from 1.
        line: usize,
        /// The parser's error.
        reason: String,
    },
    /// A format of a later version.
    #[error("the format {0} is not known to this version")]
    Format(u32),
    /// The entries do not continue each other.
    #[error(transparent)]
    Chain(#[from] Broken),
    /// The entries are not those that the header names.
    #[error("the header names the entries {first} to {last}, but the entries end with {found}")]
    Entries {
        /// The first entry according to the header.
        first: u64,
        /// The last entry according to the header.
        last: u64,
        /// The last entry of the object.
        found: u64,
    },
    /// The last entry does not have the hash that the header names.
    #[error("the last entry does not have the hash that the header names")]
    Hash,
    /// The lines are not those that were signed.
    #[error("the segment does not have the SHA-256 that was signed: it was changed")]
    Digest,
    /// The key to verify with is not a public key.
    #[error("the public key is not 64 hexadecimal digits of an Ed25519 key")]
    Key,
    /// Another key signed it.
    #[error("the segment is signed by the key {found}, not by {expected}")]
    OtherKey {
        /// The key to verify with.
        expected: String,
        /// The key that the segment names.
        found: String,
    },
    /// The signature does not fit.
    #[error("the segment's signature is wrong: it was changed, or was never signed by this key")]
    Signature,
}

impl SegmentHeader {
    /// The header of the entries after `before` up to `last`.
    #[must_use]
    pub const fn new(before: Head, last: Head) -> Self {
        Self {
            format: FORMAT,
            first: before.size + 1,
            last: last.size,
            previous: before.hash,
            hash: last.hash,
        }
    }

    /// The key of the segment's object: `audit/000000000001-1000.ndjson`.
    #[must_use]
    pub fn object(&self) -> String {
        format!("audit/{:012}-{}.ndjson", self.first, self.last)
    }

    /// The text that is signed, for the digest of the lines.
    fn signed_text(&self, sha256: &str) -> Result<String, NotCanonical> {
        #[derive(Serialize)]
        struct Signed<'a> {
            #[serde(flatten)]
            header: &'a SegmentHeader,
            sha256: &'a str,
        }
        let canonical = canonical::to_string(&Signed { header: self, sha256 })?;
        Ok(format!("{CONTEXT}\n{canonical}\n"))
    }
}

impl SegmentRecord {
    /// Writes the object of a segment: the header, `lines`, which are its links as NDJSON, and the signature. Returns
    /// the record and the object. The same entries and the same key make the same object.
    ///
    /// # Errors
    /// When a sequence number is larger than 2^53 - 1.
    pub fn write(
        header: SegmentHeader,
        lines: &str,
        key: &CheckpointKey,
    ) -> Result<(Self, Vec<u8>), NotCanonical> {
        let mut object = canonical::to_string(&header)?;
        object.push('\n');
        object.push_str(lines);
        if !object.ends_with('\n') {
            object.push('\n');
        }
        let sha256 = HEXLOWER.encode(&Sha256::digest(&object));
        let signature = SegmentSignature {
            signature: key.sign_text(&header.signed_text(&sha256)?),
            sha256,
            key: key.public(),
        };
        object.push_str(&canonical::to_string(&signature)?);
        object.push('\n');
        let record = Self {
            object: header.object(),
            header,
            signature,
        };
        Ok((record, object.into_bytes()))
    }

    /// Verifies the signature with this public key, in hexadecimal.
    ///
    /// # Errors
    /// If the key is invalid or another one, or the signature is wrong.
    pub fn verify(&self, public_key: &str) -> Result<(), InvalidSegment> {
        verify(&self.header, &self.signature, public_key)
    }
}

impl Segment {
    /// Reads an object, and checks that it is complete and that its entries continue each other from the hash that the
    /// header names. [`verify`](Self::verify) checks who signed it.
    ///
    /// # Errors
    /// The first problem.
    pub fn read(object: &str) -> Result<Self, InvalidSegment> {
        let body = object.trim_end_matches('\n');
        let (body, last) = body.rsplit_once('\n').ok_or_else(|| InvalidSegment::Line {
            line: 1,
            reason: "the object has only one line".to_owned(),
        })?;
        let mut numbered = (1..).zip(body.split('\n'));
        let (_, first) = numbered.next().unwrap_or((1, ""));
        let header: SegmentHeader = parse(1, first)?;
        if header.format != FORMAT {
            return Err(InvalidSegment::Format(header.format));
        }
        let mut head = Head {
            size: header.first.saturating_sub(1),
            hash: header.previous,
        };
        let mut links = Vec::new();
        let mut count = 1;
        for (line, text) in numbered {
            let link = parse(line, text)?;
            head = head.follow(&link)?;
            links.push(link);
            count = line;
        }
        if head.size != header.last || links.is_empty() {
            return Err(InvalidSegment::Entries {
                first: header.first,
                last: header.last,
                found: head.size,
            });
        }
        if head.hash != header.hash {
            return Err(InvalidSegment::Hash);
        }
        let signature: SegmentSignature = parse(count + 1, last)?;
        let digest = Sha256::new().chain_update(body).chain_update("\n").finalize();
        if signature.sha256 != HEXLOWER.encode(&digest) {
            return Err(InvalidSegment::Digest);
        }
        Ok(Self {
            header,
            links,
            signature,
        })
    }

    /// Verifies the signature with this public key, in hexadecimal.
    ///
    /// # Errors
    /// If the key is invalid or another one, or the signature is wrong.
    pub fn verify(&self, public_key: &str) -> Result<(), InvalidSegment> {
        verify(&self.header, &self.signature, public_key)
    }
}

fn parse<'a, T: Deserialize<'a>>(line: usize, text: &'a str) -> Result<T, InvalidSegment> {
    serde_json::from_str(text).map_err(|error| InvalidSegment::Line {
        line,
        reason: error.to_string(),
    })
}

fn verify(
    header: &SegmentHeader,
    signature: &SegmentSignature,
    public_key: &str,
) -> Result<(), InvalidSegment> {
    let key = read_public_key(public_key).ok_or(InvalidSegment::Key)?;
    if signature.key != public_key {
        return Err(InvalidSegment::OtherKey {
            expected: public_key.to_owned(),
            found: signature.key.clone(),
        });
    }
    let text = header
        .signed_text(&signature.sha256)
        .map_err(|_| InvalidSegment::Signature)?;
    if is_signature(&key, &text, &signature.signature) {
        Ok(())
    } else {
        Err(InvalidSegment::Signature)
    }
}
