use std::fmt;

use data_encoding::HEXLOWER;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use jiff::Timestamp;
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::chain::{Hash, Head};
use crate::schema::{HexDigest, Time};

/// The first line of the signed text, so that the signature is not valid for anything else.
const CONTEXT: &str = "dotdo deploy-api audit checkpoint v1";

/// The length and the head of the audit log at a time, signed with Ed25519.
///
/// The signed text is five lines, each ended by a line feed: the words `dotdo deploy-api audit checkpoint v1`, the
/// size, the head in hexadecimal, the time in milliseconds since 1970, and the public key in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// How many entries the log had.
    pub size: u64,
    /// The hash of the last one.
    pub head: Hash,
    /// When, to the millisecond.
    #[schemars(with = "Time")]
    pub time: Timestamp,
    /// The public key, in hexadecimal.
    #[schemars(with = "HexDigest")]
    pub key: String,
    /// The signature, in hexadecimal.
    #[schemars(regex(pattern = "^[0-9a-f]{128}$"))]
    pub signature: String,
}

/// The private key that signs checkpoints.
pub struct CheckpointKey(SigningKey);

/// The configured key is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the checkpoint key is not 64 hexadecimal digits; make one with `openssl rand -hex 32`")]
pub struct InvalidCheckpointKey;

/// Why a checkpoint proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidCheckpoint {
    /// The key to verify with is invalid.
    #[error("the public key is not 64 hexadecimal digits of an Ed25519 key")]
    Key,
    /// It was signed with another key.
    #[error("the checkpoint is signed by the key {found}, not by {expected}")]
    OtherKey {
        /// The expected key.
        expected: String,
        /// The key that it names.
        found: String,
    },
    /// It was changed after it was signed.
    #[error("the checkpoint's signature is wrong: it was changed, or never signed by this key")]
    Signature,
}

impl CheckpointKey {
    /// Reads a private key of 32 bytes in hexadecimal.
    ///
    /// # Errors
    /// If the text has another form.
    pub fn from_hex(configured: &SecretString) -> Result<Self, InvalidCheckpointKey> {
        let text = configured.expose_secret().trim();
        HEXLOWER
            .decode(text.as_bytes())
            .ok()
            .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
            .map(|seed| Self(SigningKey::from_bytes(&seed)))
            .ok_or(InvalidCheckpointKey)
    }

    /// The public key in hexadecimal, to be published.
    #[must_use]
    pub fn public(&self) -> String {
        HEXLOWER.encode(self.0.verifying_key().as_bytes())
    }

    /// Signs the head of the log at a time.
    #[must_use]
    pub fn sign(&self, head: Head, now: Timestamp) -> Checkpoint {
        let time = Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
        let mut checkpoint = Checkpoint {
            size: head.size,
            head: head.hash,
            time,
            key: self.public(),
            signature: String::new(),
        };
        checkpoint.signature = self.sign_text(&checkpoint.signed_text());
        checkpoint
    }

    /// The signature of a text in hexadecimal. The text must begin with a context that no other kind of text has.
    pub(super) fn sign_text(&self, text: &str) -> String {
        HEXLOWER.encode(&self.0.sign(text.as_bytes()).to_bytes())
    }
}

/// Redacted, so that no log line contains the key.
impl fmt::Debug for CheckpointKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CheckpointKey([REDACTED], public {})", self.public())
    }
}

impl Checkpoint {
    fn signed_text(&self) -> String {
        let Self {
            size,
            head,
            time,
            key,
            ..
        } = self;
        format!("{CONTEXT}\n{size}\n{head}\n{}\n{key}\n", time.as_millisecond())
    }

    /// Checks that the checkpoint was signed by this public key, given in hexadecimal.
    ///
    /// # Errors
    /// If the key is invalid or another one, or the signature is wrong.
    pub fn verify(&self, public_key: &str) -> Result<(), InvalidCheckpoint> {
        let key = read_public_key(public_key).ok_or(InvalidCheckpoint::Key)?;
        if self.key != public_key {
            return Err(InvalidCheckpoint::OtherKey {
                expected: public_key.to_owned(),
                found: self.key.clone(),
            });
        }
        if is_signature(&key, &self.signed_text(), &self.signature) {
            Ok(())
        } else {
            Err(InvalidCheckpoint::Signature)
        }
    }
}

/// The public key of 64 hexadecimal digits, or `None` if the text is not one.
pub(super) fn read_public_key(text: &str) -> Option<VerifyingKey> {
    let bytes = <[u8; 32]>::try_from(HEXLOWER.decode(text.as_bytes()).ok()?).ok()?;
    VerifyingKey::from_bytes(&bytes).ok()
}

/// Whether `signature`, in hexadecimal, is the signature of a text by a key.
pub(super) fn is_signature(key: &VerifyingKey, text: &str, signature: &str) -> bool {
    HEXLOWER
        .decode(signature.as_bytes())
        .ok()
        .and_then(|bytes| Signature::from_slice(&bytes).ok())
        .is_some_and(|signature| key.verify_strict(text.as_bytes(), &signature).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(digit: &str) -> CheckpointKey {
        CheckpointKey::from_hex(&SecretString::from(digit.repeat(32))).unwrap()
    }

    fn checkpoint() -> Checkpoint {
        let head = Head {
            size: 3,
            hash: Hash::GENESIS.then("x"),
        };
        key("5a").sign(head, "2026-11-24T12:00:00.1239Z".parse().unwrap())
    }

    #[test]
    fn a_checkpoint_is_good_for_its_own_key_only() {
        assert_eq!(checkpoint().verify(&key("5a").public()), Ok(()));
        assert!(matches!(
            checkpoint().verify(&key("5b").public()),
            Err(InvalidCheckpoint::OtherKey { .. })
        ));
        let forged = Checkpoint {
            key: key("5b").public(),
            ..checkpoint()
        };
        assert_eq!(
            forged.verify(&key("5b").public()),
            Err(InvalidCheckpoint::Signature)
        );
        assert_eq!(checkpoint().verify("x"), Err(InvalidCheckpoint::Key));
    }

    #[test]
    fn a_change_of_any_part_is_found() {
        let public = key("5a").public();
        for changed in [
            Checkpoint {
                size: 2,
                ..checkpoint()
            },
            Checkpoint {
                head: Hash::GENESIS,
                ..checkpoint()
            },
            Checkpoint {
                time: "2026-11-24T12:00:00.124Z".parse().unwrap(),
                ..checkpoint()
            },
            Checkpoint {
                signature: "00".repeat(64),
                ..checkpoint()
            },
            Checkpoint {
                signature: String::new(),
                ..checkpoint()
            },
        ] {
            assert_eq!(
                changed.verify(&public),
                Err(InvalidCheckpoint::Signature),
                "{changed:?}"
            );
        }
    }

    #[test]
    fn a_checkpoint_survives_json() {
        let json = serde_json::to_string(&checkpoint()).unwrap();
        let read: Checkpoint = serde_json::from_str(&json).unwrap();
        assert_eq!(read, checkpoint());
        assert_eq!(read.verify(&key("5a").public()), Ok(()));
    }

    #[test]
    fn the_private_key_is_never_printed() {
        let printed = format!("{:?}", key("5a"));
        assert!(!printed.contains("5a5a"), "{printed}");
        assert!(CheckpointKey::from_hex(&SecretString::from("5a5a")).is_err());
    }
}
