/// The most captures that one pattern holds.
pub(super) const MAX_CAPTURES: usize = 8;

/// What the captures of one pattern took from a request, by the number of the capture in the pattern.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Captures<'u>([&'u str; MAX_CAPTURES]);

impl<'u> Captures<'u> {
    pub(super) fn set(&mut self, number: usize, text: &'u str) {
        if let Some(slot) = self.0.get_mut(number) {
            *slot = text;
        }
    }

    /// The text of a capture; empty, which no capture takes, before it is set.
    pub(super) fn get(&self, number: usize) -> &'u str {
        self.0.get(number).copied().unwrap_or_default()
    }
}
