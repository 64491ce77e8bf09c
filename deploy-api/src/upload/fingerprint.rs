use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::Upload;

/// The key of [`Fingerprint`]s: 32 random bytes of one database, which are in no answer and no export.
pub struct FingerprintKey(pub [u8; 32]);

/// Tells whether two uploads are the same, secrets included. Because a plain digest would let a short secret be guessed
/// from the database, it is keyed (HMAC-SHA-256).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint(pub String);

impl FingerprintKey {
    /// The fingerprint of an upload by this holder: its parts, not its spelling as a form, whose boundary changes with
    /// every try.
    #[must_use]
    pub fn of(&self, holder: &str, target: &str, upload: &Upload) -> Fingerprint {
        // HMAC itself fills a key up with zeros to the length of a block (RFC 2104, section 2).
        let mut key = [0; 64];
        for (byte, given) in key.iter_mut().zip(self.0) {
            *byte = given;
        }
        let mut mac = Hmac::<Sha256>::new(&key.into());
        let mut add = |bytes: &[u8]| {
            mac.update(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(bytes);
        };
        add(holder.as_bytes());
        add(target.as_bytes());
        add(upload.metadata.to_json().as_bytes());
        for part in &upload.parts {
            add(part.name.as_bytes());
            add(part.file_name.as_deref().unwrap_or_default().as_bytes());
            add(part.content_type.as_deref().unwrap_or_default().as_bytes());
            add(&part.bytes);
        }
        Fingerprint(HEXLOWER.encode(&mac.finalize().into_bytes()))
    }
}
