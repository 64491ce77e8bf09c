//! The Worker secret `UPLOAD_KEY`, from which the keys for uploads are derived.

use data_encoding::HEXLOWER_PERMISSIVE;
use hmac::Mac;
use secrecy::{ExposeSecret, SecretBox};
use thiserror::Error;

use super::FingerprintKey;
use super::fingerprint::hmac;

/// 32 random bytes that all instances of the gateway share. They are never used directly: each use has a derived key,
/// HMAC-SHA-256 of a label, so that a code that was made for one use is not valid for another. `Debug` is redacted.
#[derive(Debug)]
pub struct UploadKey(SecretBox<[u8; 32]>);

/// The secret `UPLOAD_KEY` is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("UPLOAD_KEY is not 64 hexadecimal digits (create one with `openssl rand -hex 32`)")]
pub struct InvalidUploadKey;

impl UploadKey {
    /// Reads the key: 64 hexadecimal digits, with optional white space around them.
    ///
    /// # Errors
    /// If the text is anything else. The error does not contain it.
    pub fn from_hex(text: &str) -> Result<Self, InvalidUploadKey> {
        let bytes = HEXLOWER_PERMISSIVE
            .decode(text.trim().as_bytes())
            .ok()
            .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
            .ok_or(InvalidUploadKey)?;
        Ok(Self(SecretBox::new(Box::new(bytes))))
    }

    /// The key of the fingerprints of uploads.
    #[must_use]
    pub fn fingerprint_key(&self) -> FingerprintKey {
        FingerprintKey(self.derived("dotdo upload fingerprint v1"))
    }

    /// The key of the tokens of asset upload sessions.
    #[must_use]
    pub fn asset_session_key(&self) -> SecretBox<[u8; 32]> {
        SecretBox::new(Box::new(self.derived("dotdo asset session v1")))
    }

    /// The key that seals the cached documents of OIDC issuers.
    #[must_use]
    pub fn issuer_document_key(&self) -> SecretBox<[u8; 32]> {
        SecretBox::new(Box::new(self.derived("dotdo issuer document v1")))
    }

    /// The key that seals the cursors of lists.
    #[must_use]
    pub fn cursor_key(&self) -> SecretBox<[u8; 32]> {
        SecretBox::new(Box::new(self.derived("dotdo list cursor v1")))
    }

    fn derived(&self, label: &str) -> [u8; 32] {
        hmac(self.0.expose_secret())
            .chain_update(label.as_bytes())
            .finalize()
            .into_bytes()
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_use_has_a_different_key() {
        let key = UploadKey::from_hex(&"0b".repeat(32)).unwrap();
        let fingerprint = key.fingerprint_key().0;
        let session = key.asset_session_key();
        // Python: hmac.new(b"\x0b" * 32, b"dotdo upload fingerprint v1", "sha256")
        assert_eq!(
            data_encoding::HEXLOWER.encode(&fingerprint),
            "0ea52a4b639e497b46db61eba5300ecf91336b6e2de01b3fee67b3acc6e48e6b"
        );
        assert_ne!(fingerprint, *session.expose_secret());
        assert_ne!(fingerprint, [0x0b; 32]);
        let other = UploadKey::from_hex(&"0c".repeat(32)).unwrap();
        assert_ne!(fingerprint, other.fingerprint_key().0);
    }

    #[test]
    fn only_32_bytes_in_hexadecimal_are_a_key() {
        assert!(UploadKey::from_hex(&format!(" {}\n", "0B".repeat(32))).is_ok());
        for text in ["", "0b", &"0b".repeat(31), &"0b".repeat(33), &"zz".repeat(32)] {
            assert!(UploadKey::from_hex(text).is_err(), "{text}");
        }
    }

    #[test]
    fn it_is_not_printed() {
        let text = format!("{:?}", UploadKey::from_hex(&"0b".repeat(32)).unwrap());
        assert!(!text.contains("11") && !text.contains("0b"), "{text}");
    }
}
