//! Checks base64 in chunks.

use data_encoding::{BASE64, BASE64_NOPAD};
use thiserror::Error;

use super::form::length;

/// The number of characters that are decoded at a time: a multiple of 4.
const BLOCK: usize = 4096;

/// The text is not base64 with padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the text is not base64 with padding")]
pub(super) struct InvalidBase64;

/// Checks that a text is base64 with padding (RFC 4648, section 4), and counts the bytes that it encodes. The chunks of the text
/// may have any length. The last group of 4 characters is checked at the end, because only it may have padding.
#[derive(Debug, Default)]
pub(super) struct Base64Check {
    pending: [u8; 4],
    pending_length: usize,
    decoded: u64,
}

impl Base64Check {
    /// The number of bytes that the text encodes so far, without the last group.
    pub(super) const fn decoded(&self) -> u64 {
        self.decoded
    }

    /// Checks the next chunk of the text.
    pub(super) fn update(&mut self, mut chunk: &[u8]) -> Result<(), InvalidBase64> {
        // A full group is decoded once a character follows.
        while let Some((first, rest)) = chunk.split_first()
            && self.pending_length > 0
        {
            if self.pending_length == 4 {
                let group = self.pending;
                self.pending_length = 0;
                self.decode(&group)?;
                break;
            }
            if let Some(place) = self.pending.get_mut(self.pending_length) {
                *place = *first;
                self.pending_length += 1;
            }
            chunk = rest;
        }
        if chunk.is_empty() {
            return Ok(());
        }
        let whole = (chunk.len() - 1) / 4 * 4;
        let (groups, last) = chunk.split_at_checked(whole).unwrap_or((chunk, &[]));
        for block in groups.chunks(BLOCK) {
            self.decode(block)?;
        }
        for (place, character) in self.pending.iter_mut().zip(last) {
            *place = *character;
        }
        self.pending_length = last.len();
        Ok(())
    }

    /// Ends the text, and returns the number of bytes that it encodes.
    pub(super) fn finish(self) -> Result<u64, InvalidBase64> {
        let mut bytes = [0; 3];
        let last = self
            .pending
            .get(..self.pending_length)
            .filter(|last| matches!(last.len(), 0 | 4))
            .ok_or(InvalidBase64)?;
        let decoded = BASE64.decode_mut(last, bytes.get_mut(..last.len() / 4 * 3).unwrap_or_default());
        let decoded = decoded.map_err(|_| InvalidBase64)?;
        Ok(self
            .decoded
            .saturating_add(length(bytes.get(..decoded).unwrap_or_default())))
    }

    /// Decodes whole groups that are not the last one, so that they have no padding.
    fn decode(&mut self, groups: &[u8]) -> Result<(), InvalidBase64> {
        let mut bytes = [0; BLOCK / 4 * 3];
        let bytes = bytes.get_mut(..groups.len() / 4 * 3).ok_or(InvalidBase64)?;
        BASE64_NOPAD
            .decode_mut(groups, bytes)
            .map_err(|_| InvalidBase64)?;
        self.decoded = self.decoded.saturating_add(length(bytes));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Checks a text in chunks of these lengths, repeated.
    fn check(text: &[u8], lengths: &[usize]) -> Option<u64> {
        let mut check = Base64Check::default();
        let mut rest = text;
        for length in lengths.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (chunk, later) = rest.split_at((*length).min(rest.len()));
            check.update(chunk).ok()?;
            rest = later;
        }
        check.finish().ok()
    }

    #[test]
    fn padding_is_only_at_the_end() {
        for (text, expected) in [
            ("", Some(0)),
            ("QQ==", Some(1)),
            ("QUI=", Some(2)),
            ("QUJD", Some(3)),
            ("QUJDQQ==", Some(4)),
            ("QQ==QQ==", None),
            ("QUI=QUJD", None),
            ("QQ", None),
            ("QQ=", None),
            ("Q", None),
            ("=", None),
            ("====", None),
            ("QQ===", None),
            ("QQ==\n", None),
            ("QU\nJD", None),
            ("QUJ-", None),
            ("QUJ_", None),
            // The unused bits are not zero.
            ("QR==", None),
            ("QUJ=", None),
        ] {
            for length in 1..=text.len().max(1) {
                assert_eq!(
                    check(text.as_bytes(), &[length]),
                    expected,
                    "{text:?} in chunks of {length}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn every_text_is_checked_alike_in_chunks_and_as_a_whole(
            content in prop::collection::vec(any::<u8>(), 0..9000),
            lengths in prop::collection::vec(1..5000_usize, 1..8),
            damage in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
        ) {
            let mut text = BASE64.encode(&content).into_bytes();
            if let Some((position, byte)) = damage && !text.is_empty() {
                let position = position.index(text.len());
                text[position] = byte;
            }
            let padded_inside = text.iter().position(|byte| *byte == b'=').is_some_and(|at| at + 4 < text.len());
            let expected = BASE64.decode(&text).ok().filter(|_| !padded_inside).map(|bytes| length(&bytes));
            prop_assert_eq!(check(&text, &lengths), expected);
        }
    }
}
