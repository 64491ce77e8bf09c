//! Reads the members of JSON objects, and reports every wrong one with its path.
//!
//! `serde_json` reads the text. A derived `Deserialize` is not used on top of it, because its errors have no path, stop
//! at the first mistake, and give a position within one rule instead of within `ROUTES`.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::invalid_member::{InvalidMember, InvalidMembers, MAX_DEPTH, Mistake};

/// How many characters of a wrong value an error repeats.
const MAX_FOUND: usize = 40;

/// The members of one JSON object, which are read one by one. [`finish`](Self::finish) reports what was wrong with
/// those, and every member that was not read.
///
/// `null` is the same as no member.
#[derive(Debug)]
pub(super) struct ObjectReader<'t> {
    path: String,
    unread: Vec<(String, &'t RawValue)>,
    /// The keys that were asked for.
    known: Vec<&'static str>,
    mistakes: Vec<InvalidMember>,
}

impl<'t> ObjectReader<'t> {
    /// Reads the outermost object.
    pub(super) fn new(value: &'t RawValue) -> Result<Self, InvalidMembers> {
        Self::nested(value, String::new())
    }

    fn nested(value: &'t RawValue, path: String) -> Result<Self, InvalidMembers> {
        let (unread, mistakes) = members(value, &path).map_err(|mistake| InvalidMembers(vec![mistake]))?;
        Ok(Self {
            path,
            unread,
            known: Vec::new(),
            mistakes,
        })
    }

    /// Reads a string.
    pub(super) fn string(&mut self, key: &'static str) -> Option<String> {
        self.read(key, "a string", |value| serde_json::from_str(value.get()).ok())
    }

    /// Reads a string that must be there.
    pub(super) fn required_string(&mut self, key: &'static str) -> Option<String> {
        if !self.has(key) {
            let path = join(&self.path, key);
            self.mistakes.push(InvalidMember {
                path,
                mistake: Mistake::Missing,
            });
        }
        self.string(key)
    }

    /// Reads `true` or `false`.
    pub(super) fn boolean(&mut self, key: &'static str) -> Option<bool> {
        self.read(key, "`true` or `false`", |value| value.get().parse().ok())
    }

    /// Reads a whole number within a range.
    pub(super) fn number(&mut self, key: &'static str, range: &RangeInclusive<u32>) -> Option<u32> {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        // JSON's unsigned whole numbers are written as Rust's.
        self.read(key, expected, |value| {
            value.get().parse().ok().filter(|number| range.contains(number))
        })
    }

    /// Reads an object's members with `read`.
    pub(super) fn object<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let value = self.take(key)?;
        let result = Self::nested(value, join(&self.path, key)).and_then(|mut object| {
            let result = read(&mut object);
            object.finish().map(|()| result)
        });
        match result {
            Ok(result) => Some(result),
            Err(InvalidMembers(mistakes)) => {
                self.mistakes.extend(mistakes);
                None
            }
        }
    }

    /// The text of an object with any members, exactly as it is written.
    pub(super) fn raw_object(&mut self, key: &'static str) -> Option<&'t str> {
        let value = self.take(key)?;
        let path = join(&self.path, key);
        if value.get().starts_with('{') {
            check_nested(value, &path, 1, &mut self.mistakes);
        } else {
            self.mistakes
                .push(InvalidMember::value(path, "an object", found(value)));
        }
        Some(value.get())
    }

    /// Reports a member that was read, but has no valid meaning.
    pub(super) fn reject(&mut self, key: &str, expected: &'static str, found: &str) {
        let path = join(&self.path, key);
        self.mistakes
            .push(InvalidMember::value(path, expected, found.to_owned()));
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// A member was wrong, missing, given twice or not read.
    pub(super) fn finish(mut self) -> Result<(), InvalidMembers> {
        for (key, _) in &self.unread {
            let mistake = match nearest(key, &self.known) {
                Some(known) => Mistake::Misspelt(known),
                None => Mistake::Unknown(list(&self.known)),
            };
            let path = join(&self.path, key);
            self.mistakes.push(InvalidMember { path, mistake });
        }
        if self.mistakes.is_empty() {
            Ok(())
        } else {
            Err(InvalidMembers(self.mistakes))
        }
    }

    fn read<T>(
        &mut self,
        key: &'static str,
        expected: impl Into<Cow<'static, str>>,
        parse: impl FnOnce(&RawValue) -> Option<T>,
    ) -> Option<T> {
        let value = self.take(key)?;
        let parsed = parse(value);
        if parsed.is_none() {
            let path = join(&self.path, key);
            self.mistakes
                .push(InvalidMember::value(path, expected, found(value)));
        }
        parsed
    }

    fn has(&self, key: &str) -> bool {
        self.position(key)
            .is_ok_and(|at| self.unread.get(at).is_some_and(|(_, value)| !is_null(value)))
    }

    fn take(&mut self, key: &'static str) -> Option<&'t RawValue> {
        self.known.push(key);
        let at = self.position(key).ok()?;
        let (_, value) = self.unread.remove(at);
        (!is_null(value)).then_some(value)
    }

    fn position(&self, key: &str) -> Result<usize, usize> {
        position(&self.unread, key)
    }
}

/// An object's members, sorted by key, and a mistake for each key that is given twice.
type MembersAndDuplicates<'t> = (Vec<(String, &'t RawValue)>, Vec<InvalidMember>);

fn members<'t>(value: &'t RawValue, path: &str) -> Result<MembersAndDuplicates<'t>, InvalidMember> {
    if !value.get().starts_with('{') {
        return Err(InvalidMember::value(path.to_owned(), "an object", found(value)));
    }
    let Entries(entries) = serde_json::from_str(value.get()).map_err(|error| {
        // The text is valid JSON, so only the escapes of a key can be wrong.
        InvalidMember::value(path.to_owned(), "keys in valid Unicode", error.to_string())
    })?;
    let mut members = Vec::with_capacity(entries.len());
    let mut duplicates = Vec::new();
    for (key, value) in entries {
        match position(&members, &key) {
            Err(at) => members.insert(at, (key, value)),
            Ok(_) => duplicates.push(InvalidMember {
                path: join(path, &key),
                mistake: Mistake::Duplicate,
            }),
        }
    }
    Ok((members, duplicates))
}

fn position(members: &[(String, &RawValue)], key: &str) -> Result<usize, usize> {
    members.binary_search_by(|(other, _)| other.as_str().cmp(key))
}

/// Finds keys that are given twice, at any depth. The values are not parsed: a number may be larger than any type.
fn check_nested(value: &RawValue, path: &str, depth: usize, mistakes: &mut Vec<InvalidMember>) {
    let text = value.get();
    if !text.starts_with(['{', '[']) {
        return;
    }
    if depth > MAX_DEPTH {
        mistakes.push(InvalidMember {
            path: path.to_owned(),
            mistake: Mistake::TooDeep,
        });
        return;
    }
    if text.starts_with('{') {
        match members(value, path) {
            Ok((members, duplicates)) => {
                mistakes.extend(duplicates);
                for (key, value) in members {
                    check_nested(value, &join(path, &key), depth + 1, mistakes);
                }
            }
            Err(mistake) => mistakes.push(mistake),
        }
    } else if let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(text) {
        for (index, value) in elements.into_iter().enumerate() {
            check_nested(value, &format!("{path}[{index}]"), depth + 1, mistakes);
        }
    }
}

fn is_null(value: &RawValue) -> bool {
    value.get() == "null"
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        [path, ".", key].concat()
    }
}

/// A wrong value as an error shows it: as it is written, unless it is long or has members.
pub(super) fn found(value: &RawValue) -> String {
    let text = value.get();
    if text.starts_with('{') {
        "an object".to_owned()
    } else if text.starts_with('[') {
        "an array".to_owned()
    } else {
        match text.char_indices().nth(MAX_FOUND) {
            Some((end, _)) => [text.get(..end).unwrap_or_default(), "…"].concat(),
            None => text.to_owned(),
        }
    }
}

/// The known key that was most likely meant: a third of it may differ, or be left out at its end.
fn nearest(key: &str, known: &[&'static str]) -> Option<&'static str> {
    known
        .iter()
        .map(|&name| (strsim::levenshtein(key, name), name))
        .filter(|&(distance, name)| distance <= name.len() / 3 || (key.len() >= 3 && name.starts_with(key)))
        .min()
        .map(|(_, name)| name)
}

fn list(known: &[&str]) -> String {
    let quoted: Vec<String> = known.iter().map(|key| ["`", key, "`"].concat()).collect();
    quoted.join(", ")
}

/// Every member of an object in the order of the text; a key may be there twice.
struct Entries<'t>(Vec<(String, &'t RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor;

        impl<'de> Visitor<'de> for EntriesVisitor {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(EntriesVisitor)
    }
}
