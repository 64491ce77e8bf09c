use super::captures::Captures;
use super::label::last_label;
use super::part::{ANY_ENVIRONMENT, ANY_PATH, ANY_TEXT, Alphabet, Part};
use super::path::Path;

/// The name of the capture that chooses the environment.
pub(super) const ENV: &str = "env";
/// The name of the capture that is a Worker's name.
pub(super) const WORKER: &str = "worker";

/// A parsed pattern, `host[/path]`.
#[derive(Debug)]
pub(super) struct Pattern {
    /// As it was written.
    pub(super) text: Box<str>,
    /// The host's labels, the last one first.
    pub(super) labels: Box<[Part]>,
    /// The path's segments; none where any path matches.
    pub(super) segments: Box<[Part]>,
    /// Whether more may follow the segments.
    pub(super) open: bool,
    /// The captures' names, by number.
    pub(super) captures: Box<[Box<str>]>,
}

/// What a pattern is matched against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'u> {
    /// In lower case, without port and trailing dot.
    pub(super) host: &'u str,
    pub(super) path: Path<'u>,
    pub(super) alphabet: Alphabet,
}

impl Pattern {
    /// How many characters are written out, not captured: the more there are, the more the pattern says of a request.
    pub(super) fn literal_length(&self) -> usize {
        let parts = self.labels.iter().chain(&self.segments);
        parts.map(Part::literal_length).sum()
    }

    /// Whether a host that the pattern matches can name an environment elsewhere than in a literal label (which is checked
    /// when the rule is loaded), `{env}` or `{worker}` (which takes no environment's label).
    pub(super) fn can_name_environment(&self) -> bool {
        let is_checked = |number: usize| {
            let name = self.captures.get(number).map_or("", |name| name);
            matches!(name, ENV | WORKER)
        };
        self.labels.iter().any(|part| match part {
            Part::Literal(_) => false,
            Part::Captures(part) => {
                let joined_by_hyphens = matches!(&*part.between, [text] if **text == *"--");
                let plain = part.before.is_empty() && part.after.is_empty();
                let only_checked = (part.first..=part.first + part.between.len()).all(is_checked);
                !(plain && only_checked && (part.between.is_empty() || joined_by_hyphens))
            }
        })
    }

    /// The number of the capture with that name.
    pub(super) fn capture(&self, name: &str) -> Option<usize> {
        self.captures.iter().position(|capture| **capture == *name)
    }

    /// Whether host and path match, before anything is asked of the captured texts.
    pub(super) fn matches<'u>(&self, subject: Subject<'u>, captures: &mut Captures<'u>) -> bool {
        let mut host = Some(subject.host);
        for part in &self.labels {
            match host.map(last_label) {
                Some((label, rest)) if part.matches(label, subject.alphabet, captures) => host = rest,
                _ => return false,
            }
        }
        if host.is_some() {
            return false;
        }
        let mut path = subject.path;
        for part in &self.segments {
            match path.next() {
                Some((segment, behind)) if part.matches(segment, subject.alphabet, captures) => path = behind,
                _ => return false,
            }
        }
        self.open || path.next().is_none()
    }

    /// A host and a path that stand for everything that the pattern matches: another pattern matches them (with
    /// [`Alphabet::Sample`]) exactly if it matches everything that this one does.
    pub(super) fn sample(&self) -> (String, String) {
        let mut host = String::new();
        for part in self.labels.iter().rev() {
            if !host.is_empty() {
                host.push('.');
            }
            self.push_sample(&mut host, part);
        }
        let mut path = String::new();
        for part in &self.segments {
            path.push('/');
            self.push_sample(&mut path, part);
        }
        if self.open {
            path.push('/');
            path.push_str(ANY_PATH);
        }
        (host, path)
    }

    fn push_sample(&self, sample: &mut String, part: &Part) {
        let part = match part {
            Part::Literal(literal) => return sample.push_str(literal),
            Part::Captures(part) => part,
        };
        sample.push_str(&part.before);
        for number in 0..=part.between.len() {
            let name = self.captures.get(part.first + number);
            let stand_in = if name.is_some_and(|name| **name == *ENV) {
                ANY_ENVIRONMENT
            } else {
                ANY_TEXT
            };
            sample.push_str(stand_in);
            sample.push_str(part.between.get(number).unwrap_or(&part.after));
        }
    }
}
