/// A map from texts to numbers.
///
/// A sorted list: what a hash would save among thousands of rules, which nobody has, a hash table's code would cost in the
/// start of every isolate.
#[derive(Debug, Default)]
pub(super) struct ByText {
    sorted: Vec<(Box<str>, usize)>,
}

/// As many texts are sooner compared one by one.
const FEW: usize = 4;

impl ByText {
    pub(super) fn get(&self, text: &str) -> Option<usize> {
        let found = if self.sorted.len() <= FEW {
            self.sorted.iter().find(|(key, _)| **key == *text)
        } else {
            self.sorted.get(self.position(text).ok()?)
        };
        found.map(|&(_, number)| number)
    }

    /// The number under `text`: `number`, if there was none.
    pub(super) fn get_or_insert(&mut self, text: &str, number: usize) -> usize {
        match self.position(text) {
            Ok(position) => self.sorted.get(position).map_or(number, |&(_, known)| known),
            Err(position) => {
                self.sorted.insert(position, (text.into(), number));
                number
            }
        }
    }

    fn position(&self, text: &str) -> Result<usize, usize> {
        self.sorted.binary_search_by(|(key, _)| (**key).cmp(text))
    }
}
