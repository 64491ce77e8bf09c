//! The problems that a check finds in one file.

use std::{collections::BTreeSet, fmt};

/// One problem: where it is, what is wrong, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The JSON Pointer (RFC 6901) of the member; the empty text is the whole file.
    pub pointer: String,
    /// A sentence without a final period.
    pub message: String,
}

impl fmt::Display for Problem {
    /// The member's path as people write it, `routes[0].pattern`, and the message.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for member in self.pointer.split('/').skip(1) {
            if member.bytes().all(|byte| byte.is_ascii_digit()) {
                write!(f, "[{member}]")?;
            } else {
                let member = member.replace("~1", "/").replace("~0", "~");
                write!(f, "{separator}{member}")?;
            }
            separator = ".";
        }
        let colon = if self.pointer.is_empty() { "" } else { ": " };
        write!(f, "{colon}{}", self.message)
    }
}

/// Collects problems. A value that is unusable as such (a wrong type, a placeholder) is reported once, without the problems
/// that follow from it.
#[derive(Debug, Default)]
pub struct Problems {
    found: Vec<Problem>,
    missing: Vec<String>,
    unusable: BTreeSet<String>,
}

impl Problems {
    /// Adds a problem, unless the member is in an unusable value.
    pub fn add(&mut self, pointer: impl Into<String>, message: impl Into<String>) {
        let pointer = pointer.into();
        if !self.is_unusable(&pointer) {
            self.found.push(Problem {
                pointer,
                message: message.into(),
            });
        }
    }

    /// Adds a problem, and ignores all later ones of the same member or in it.
    pub fn add_unusable(&mut self, pointer: impl Into<String>, message: impl Into<String>) {
        let pointer = pointer.into();
        self.add(pointer.clone(), message);
        self.ignore(pointer);
    }

    /// Adds a missing member, unless another problem is about the same member: that one says more.
    pub fn add_missing(&mut self, pointer: impl Into<String>) {
        self.missing.push(pointer.into());
    }

    /// Ignores all later problems of a member or in it.
    pub fn ignore(&mut self, pointer: impl Into<String>) {
        self.unusable.insert(pointer.into());
    }

    fn is_unusable(&self, pointer: &str) -> bool {
        let mut ancestors = pointer.match_indices('/').map(|(end, _)| end);
        self.unusable.contains(pointer)
            || ancestors.any(|end| {
                pointer
                    .get(..end)
                    .is_some_and(|parent| self.unusable.contains(parent))
            })
    }

    /// The problems in the order in which they were found, and the missing members at the end.
    pub fn into_vec(mut self) -> Vec<Problem> {
        for pointer in std::mem::take(&mut self.missing) {
            if !self.found.iter().any(|problem| problem.pointer == pointer) {
                self.add(pointer, "the member is missing: add it");
            }
        }
        self.found
    }
}

/// A shorter text is the beginning of too many names to suggest one.
const SHORTEST_BEGINNING: usize = 3;

/// The JSON Pointer of a member.
pub fn child(parent: &str, member: &str) -> String {
    format!("{parent}/{}", member.replace('~', "~0").replace('/', "~1"))
}

/// The candidate that the text was probably meant to be: the one with the fewest edits, if at most a third of the letters
/// differ or one text is the beginning of the other.
pub fn closest<'c>(text: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let text = text.to_lowercase();
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let other = candidate.to_lowercase();
            let edits = strsim::damerau_levenshtein(&text, &other);
            let is_close = edits <= (other.len().max(text.len()) / 3).max(1);
            let is_beginning = text.len().min(other.len()) >= SHORTEST_BEGINNING
                && (other.starts_with(&text) || text.starts_with(&other));
            (is_close || is_beginning).then_some((edits, candidate))
        })
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_names_the_path_of_its_member() {
        for (pointer, expected) in [
            ("", "wrong"),
            ("/name", "name: wrong"),
            ("/routes/0/pattern", "routes[0].pattern: wrong"),
            ("/vars/A~1B", "vars.A/B: wrong"),
        ] {
            let problem = Problem {
                pointer: pointer.to_owned(),
                message: "wrong".to_owned(),
            };
            assert_eq!(problem.to_string(), expected);
        }
    }

    #[test]
    fn an_unusable_value_is_reported_once() {
        let mut problems = Problems::default();
        problems.add_unusable("/vars", "write an object");
        problems.add("/vars", "again");
        problems.add("/vars/ROUTES/0", "inside");
        problems.add("/vars2", "another member");
        let found: Vec<String> = problems.into_vec().iter().map(ToString::to_string).collect();
        assert_eq!(found, ["vars: write an object", "vars2: another member"]);
    }

    #[test]
    fn a_missing_member_is_reported_unless_another_problem_is_about_it() {
        let mut problems = Problems::default();
        for pointer in ["/a", "/b", "/c"] {
            problems.add_missing(pointer);
        }
        problems.add("/b", "write 1");
        problems.ignore("/c");
        let found: Vec<String> = problems.into_vec().iter().map(ToString::to_string).collect();
        assert_eq!(found, ["b: write 1", "a: the member is missing: add it"]);
    }

    #[test]
    fn suggests_the_closest_name() {
        let names = [
            "HOSTNAMES",
            "ANALYTICS",
            "DISPATCHER_STAGING",
            "observability",
            "vars",
        ];
        for (text, expected) in [
            ("HOSTNAME", Some("HOSTNAMES")),
            ("hostnames", Some("HOSTNAMES")),
            ("ANALITYCS", Some("ANALYTICS")),
            ("DISPATCH_STAGING", Some("DISPATCHER_STAGING")),
            ("obsevability", Some("observability")),
            ("var", Some("vars")),
            ("observ", Some("observability")),
            ("ANALYTICS_DATASET_BINDING", Some("ANALYTICS")),
            ("CACHE", None),
            ("x", None),
        ] {
            assert_eq!(closest(text, names), expected, "{text}");
        }
    }
}
