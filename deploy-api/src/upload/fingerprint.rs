use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::Metadata;
use crate::bundles::StoredPart;

/// The key of [`Fingerprint`]s: 32 bytes that are derived from the secret `UPLOAD_KEY`.
pub struct FingerprintKey(pub [u8; 32]);

/// Tells whether two uploads are the same, including secrets. It is keyed (HMAC-SHA-256), because anyone who can read the
/// database could guess a short secret from a plain digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint(pub String);

impl FingerprintKey {
    /// The fingerprint of an upload whose parts are stored. It covers the caller, the Worker, the metadata with its secrets,
    /// and the name, file name, content type, digest and size of each part in order. It does not depend on where the parts
    /// are stored.
    #[must_use]
    pub fn of_stored(
        &self,
        holder: &str,
        target: &str,
        metadata: &Metadata,
        parts: &[StoredPart],
    ) -> Fingerprint {
        let mut code = self.begin(holder, target, metadata);
        for part in parts {
            code.add(part.name.as_bytes());
            code.add_optional(part.file_name.as_deref());
            code.add_optional(part.content_type.as_deref());
            code.add(part.sha256.as_str().as_bytes());
            code.add(&part.size.to_be_bytes());
        }
        code.finish()
    }

    fn begin(&self, holder: &str, target: &str, metadata: &Metadata) -> Code {
        let mut code = Code(hmac(&self.0));
        code.add(holder.as_bytes());
        code.add(target.as_bytes());
        code.add(metadata.to_json().as_bytes());
        code
    }
}

/// An HMAC of several texts. Each text follows its length, so that no two sequences have the same code.
struct Code(Hmac<Sha256>);

impl Code {
    fn add(&mut self, bytes: &[u8]) {
        self.0
            .update(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        self.0.update(bytes);
    }

    fn add_optional(&mut self, text: Option<&str>) {
        self.add(&[u8::from(text.is_some())]);
        self.add(text.unwrap_or_default().as_bytes());
    }

    fn finish(self) -> Fingerprint {
        Fingerprint(HEXLOWER.encode(&self.0.finalize().into_bytes()))
    }
}

/// An HMAC-SHA-256 with a key of 32 bytes.
pub(super) fn hmac(key: &[u8; 32]) -> Hmac<Sha256> {
    // HMAC itself pads a key with zeros to the length of a block (RFC 2104, section 2).
    let mut block = [0; 64];
    for (byte, given) in block.iter_mut().zip(key) {
        *byte = *given;
    }
    Hmac::<Sha256>::new(&block.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundles::Digest;

    fn part() -> StoredPart {
        StoredPart {
            name: "index.js".to_owned(),
            file_name: None,
            content_type: Some("text/plain".to_owned()),
            size: 3,
            sha256: Digest::of(b"abc"),
            offset: 0,
        }
    }

    fn fingerprint(holder: &str, secret: &str, part: StoredPart) -> Fingerprint {
        let metadata = format!(r#"{{"bindings":[{{"type":"secret_text","name":"T","text":"{secret}"}}]}}"#);
        let metadata = Metadata::parse(metadata.as_bytes()).unwrap();
        FingerprintKey([1; 32]).of_stored(holder, "n/w", &metadata, &[part])
    }

    #[test]
    fn it_depends_on_everything_but_the_place_of_the_bytes() {
        let base = fingerprint("h", "s", part());
        assert_eq!(fingerprint("h", "s", StoredPart { offset: 9, ..part() }), base);
        let changed = [
            StoredPart {
                name: "b.js".to_owned(),
                ..part()
            },
            StoredPart {
                file_name: Some(String::new()),
                ..part()
            },
            StoredPart {
                content_type: None,
                ..part()
            },
            StoredPart { size: 4, ..part() },
            StoredPart {
                sha256: Digest::of(b"abd"),
                ..part()
            },
        ];
        for part in changed {
            assert_ne!(fingerprint("h", "s", part.clone()), base, "{part:?}");
        }
        assert_ne!(fingerprint("h", "other", part()), base);
        assert_ne!(fingerprint("other", "s", part()), base);
    }
}
