use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretBox};
use sha2::Sha256;

use super::keyring::Fetched;

/// The first line of the authenticated text, so that no other use of the key produces it.
const CONTEXT: &str = "dotdo deploy-api issuer document v1";

/// The length of an HMAC-SHA256 in bytes.
const MAC: usize = 32;

/// The length of a time in bytes: milliseconds since 1970, big-endian.
const TIME: usize = 8;

/// The length of SHA-256's block in bytes.
const BLOCK: usize = 64;

/// Seals documents of issuers for a cache that others can write to: whoever forged a key set could sign tokens. A sealed
/// document is an HMAC-SHA256, the time of the fetch, and the document. The HMAC covers the address, too.
#[derive(Debug)]
pub struct DocumentSeal(SecretBox<[u8; 32]>);

impl DocumentSeal {
    /// Seals with a key that has no other use.
    #[must_use]
    pub const fn new(key: SecretBox<[u8; 32]>) -> Self {
        Self(key)
    }

    /// Seals a document that was fetched from an address at a time.
    #[must_use]
    pub fn seal(&self, address: &str, document: &[u8], fetched: Timestamp) -> Vec<u8> {
        let time = fetched.as_millisecond().to_be_bytes();
        let mut sealed = self.mac(address, time, document).finalize().into_bytes().to_vec();
        sealed.extend_from_slice(&time);
        sealed.extend_from_slice(document);
        sealed
    }

    /// The document in a cached text, with its age. `None` if it was not sealed with this key for this address, is older than
    /// `max_age`, or is from the future.
    #[must_use]
    pub fn open(
        &self,
        address: &str,
        sealed: &[u8],
        now: Timestamp,
        max_age: SignedDuration,
    ) -> Option<Fetched> {
        let (mac, rest) = sealed.split_at_checked(MAC)?;
        let (time, document) = rest.split_first_chunk::<TIME>()?;
        self.mac(address, *time, document).verify_slice(mac).ok()?;
        let fetched = Timestamp::from_millisecond(i64::from_be_bytes(*time)).ok()?;
        let age = now.duration_since(fetched);
        (SignedDuration::ZERO..=max_age).contains(&age).then(|| Fetched {
            document: document.to_vec(),
            age,
        })
    }

    fn mac(&self, address: &str, time: [u8; TIME], document: &[u8]) -> Hmac<Sha256> {
        // HMAC pads a key with zeros to the length of a block (RFC 2104, section 2).
        let mut key = [0; BLOCK];
        for (byte, given) in key.iter_mut().zip(self.0.expose_secret()) {
            *byte = *given;
        }
        let mut mac = Hmac::<Sha256>::new(&key.into());
        for line in [CONTEXT, address] {
            mac.update(line.as_bytes());
            mac.update(b"\n");
        }
        mac.update(&time);
        mac.update(document);
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "https://issuer.example/jwks";
    const MINUTE: SignedDuration = SignedDuration::from_mins(1);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn seal(key: u8) -> DocumentSeal {
        DocumentSeal::new(SecretBox::new(Box::new([key; 32])))
    }

    fn sealed() -> Vec<u8> {
        seal(1).seal(ADDRESS, b"{}", at(0))
    }

    fn open(key: u8, address: &str, sealed: &[u8], now: Timestamp) -> Option<Fetched> {
        seal(key).open(address, sealed, now, MINUTE)
    }

    #[test]
    fn a_sealed_document_is_opened_with_its_age() {
        let opened = open(1, ADDRESS, &sealed(), at(60)).unwrap();
        assert_eq!(opened.document, b"{}");
        assert_eq!(opened.age, MINUTE);
    }

    #[test]
    fn an_old_document_and_one_from_the_future_are_not_opened() {
        assert!(open(1, ADDRESS, &sealed(), at(61)).is_none());
        assert!(open(1, ADDRESS, &sealed(), at(-1)).is_none());
    }

    #[test]
    fn a_document_of_another_key_or_address_is_not_opened() {
        assert!(open(2, ADDRESS, &sealed(), at(1)).is_none());
        assert!(open(1, "https://issuer.example/other", &sealed(), at(1)).is_none());
    }

    #[test]
    fn a_changed_or_truncated_text_is_not_opened() {
        let sealed = sealed();
        for position in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[position] ^= 1;
            assert!(open(1, ADDRESS, &changed, at(1)).is_none(), "{position}");
            assert!(
                open(1, ADDRESS, &sealed[..position], at(1)).is_none(),
                "{position}"
            );
        }
    }
}
