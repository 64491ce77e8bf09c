use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map from texts to numbers, found as fast among three as among thousands.
#[derive(Debug)]
pub(super) enum ByText {
    /// Compared one by one.
    Few(Vec<(Box<str>, usize)>),
    Many(HashMap<Box<str>, usize, BuildHasherDefault<TextHasher>>),
}

/// As many texts are compared sooner than one is hashed.
const FEW: usize = 4;

impl ByText {
    pub(super) fn get(&self, text: &str) -> Option<usize> {
        match self {
            Self::Few(few) => few
                .iter()
                .find(|(key, _)| **key == *text)
                .map(|&(_, number)| number),
            Self::Many(many) => many.get(text).copied(),
        }
    }

    /// The number under `text`: `number`, if there was none.
    pub(super) fn get_or_insert(&mut self, text: &str, number: usize) -> usize {
        if let Some(known) = self.get(text) {
            return known;
        }
        match self {
            Self::Few(few) if few.len() < FEW => few.push((text.into(), number)),
            Self::Few(few) => {
                let mut many: HashMap<_, _, _> = few.drain(..).collect();
                many.insert(text.into(), number);
                *self = Self::Many(many);
            }
            Self::Many(many) => {
                many.insert(text.into(), number);
            }
        }
        number
    }
}

impl Default for ByText {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

/// Eight bytes at a time, as rustc's own hasher: labels are short, and the keys come from the rules, so nobody can
/// choose them to collide.
#[derive(Debug, Default)]
pub(super) struct TextHasher(u64);

impl Hasher for TextHasher {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            for (slot, byte) in word.iter_mut().zip(chunk) {
                *slot = *byte;
            }
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.write_u64(u64::from(byte));
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    fn finish(&self) -> u64 {
        // The table takes the low bits, which a product mixes least.
        self.0.rotate_left(26)
    }
}
