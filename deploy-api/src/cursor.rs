//! The cursors of lists: positions, encrypted and authenticated.

use std::fmt;

use aes_gcm_siv::aead::{Aead, KeyInit, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use data_encoding::BASE64URL_NOPAD;
use secrecy::{ExposeSecret, SecretBox};

/// A position is padded to a multiple of this number of bytes, so that the length of a cursor does not reveal the length of a
/// name.
const BLOCK: usize = 128;

/// The first byte of the padding; the others are zero.
const PADDING: u8 = 0x80;

/// The longest cursor that is opened, in characters. Those of this API are much shorter.
const MAX_CURSOR: usize = 4096;

/// Seals positions in lists, so that a cursor reveals nothing, and a changed cursor or the cursor of another list is invalid.
///
/// Every cursor has the same nonce. With AES-GCM-SIV (RFC 8452), that reveals only that two cursors of a list are the same.
pub struct CursorKey(Aes256GcmSiv);

impl CursorKey {
    /// Seals with a key that has no other use.
    #[must_use]
    pub fn new(key: &SecretBox<[u8; 32]>) -> Self {
        Self(Aes256GcmSiv::new(key.expose_secret().into()))
    }

    /// The cursor of a position in a list.
    #[must_use]
    pub fn seal(&self, list: &str, position: &str) -> String {
        let mut padded = position.as_bytes().to_vec();
        padded.push(PADDING);
        padded.resize(padded.len().next_multiple_of(BLOCK), 0);
        let payload = Payload {
            msg: &padded,
            aad: list.as_bytes(),
        };
        // Only a message of 64 GiB cannot be sealed. An empty cursor is never valid.
        let sealed = self.0.encrypt(&Nonce::default(), payload).unwrap_or_default();
        BASE64URL_NOPAD.encode(&sealed)
    }

    /// The position of a cursor. `None` if it was not sealed with this key for this list.
    #[must_use]
    pub fn open(&self, list: &str, cursor: &str) -> Option<String> {
        if cursor.len() > MAX_CURSOR {
            return None;
        }
        let sealed = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?;
        let payload = Payload {
            msg: &sealed,
            aad: list.as_bytes(),
        };
        let mut padded = self.0.decrypt(&Nonce::default(), payload).ok()?;
        let end = padded.iter().rposition(|byte| *byte == PADDING)?;
        padded.truncate(end);
        String::from_utf8(padded).ok()
    }
}

/// Redacts the key.
impl fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CursorKey([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> CursorKey {
        CursorKey::new(&SecretBox::new(Box::new([byte; 32])))
    }

    #[test]
    fn a_cursor_is_opened_for_its_list() {
        for position in [
            "",
            "7",
            "agents",
            "\u{20ac}",
            &"x".repeat(BLOCK),
            &"y".repeat(BLOCK - 1),
        ] {
            let cursor = key(1).seal("workers", position);
            assert_eq!(key(1).open("workers", &cursor).as_deref(), Some(position));
            assert_eq!(key(1).open("tokens", &cursor), None, "another list");
            assert_eq!(key(2).open("workers", &cursor), None, "another key");
        }
    }

    #[test]
    fn a_cursor_shows_neither_the_position_nor_its_length() {
        let [short, long] = ["a", "secret-worker-of-somebody-else"].map(|name| key(1).seal("workers", name));
        assert_eq!(short.len(), long.len());
        let bytes = BASE64URL_NOPAD.decode(long.as_bytes()).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains("secret"));
    }

    #[test]
    fn a_changed_or_invented_cursor_is_not_opened() {
        let cursor = key(1).seal("workers", "agents");
        let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).unwrap();
        for position in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[position] ^= 1;
            assert_eq!(
                key(1).open("workers", &BASE64URL_NOPAD.encode(&changed)),
                None,
                "{position}"
            );
            let truncated = BASE64URL_NOPAD.encode(&bytes[..position]);
            assert_eq!(key(1).open("workers", &truncated), None, "{position}");
        }
        for invented in ["", "7", "YWdlbnRz", "!", &"A".repeat(MAX_CURSOR + 4)] {
            assert_eq!(key(1).open("workers", invented), None, "{invented}");
        }
    }
}
