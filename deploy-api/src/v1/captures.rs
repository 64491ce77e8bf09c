/// The parts of a path that a route captures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captures<'a>(Vec<(&'static str, &'a str)>);

impl<'a> Captures<'a> {
    /// The values of the captures of a route's path in a request's path; `None` if the path does not match.
    pub(super) fn of(expected: &'static str, path: &'a str) -> Option<Self> {
        let mut captures = Captures::default();
        let mut sent = path.split('/');
        for expected in expected.split('/') {
            let segment = sent.next()?;
            match capture_name(expected) {
                Some(name) if !segment.is_empty() => captures.0.push((name, segment)),
                None if segment == expected => {}
                _ => return None,
            }
        }
        sent.next().is_none().then_some(captures)
    }

    /// The names and their values.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &'a str)> + '_ {
        self.0.iter().copied()
    }

    /// A captured part, as it was sent; empty for a name that the route's path does not have.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(known, _)| *known == name)
            .map_or("", |(_, value)| value)
    }
}

/// The name of a capture, for a segment of a route's path that is one.
#[must_use]
pub fn capture_name(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}
