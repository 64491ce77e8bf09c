//! A value in a file of the clone, and the text of the file with another value. Comments and layout stay.

use std::fmt;

use dotdo_names::DEPLOY_API_WORKER;
use jsonc_parser::cst::{CstInputValue, CstNode, CstObject, CstRootNode};

use crate::failure::Failure;

/// A value in a file.
#[derive(Debug)]
pub struct Setting {
    /// The file, from the top of the clone.
    pub file: &'static str,
    /// Where it is.
    pub place: Place,
    /// `None`: the id of a namespace that does not exist yet.
    pub value: Option<String>,
}

/// Where a value is.
#[derive(Debug)]
pub enum Place {
    /// A text in an object: the names of the members on the way.
    Member(Vec<&'static str>),
    /// A member of the element with this `binding`: list, binding, member.
    Binding(&'static str, &'static str, &'static str),
    /// An element of `routes`, with the pattern of `value` and this zone.
    Route(&'static str),
    /// A line `NAME=value`.
    Variable(String),
    /// The same with an address, whose host must begin with the name of the deploy API.
    Address(&'static str),
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Member(names) => f.write_str(&names.join("."))?,
            Place::Binding(list, binding, member) => write!(f, "{list}[{binding}].{member}")?,
            Place::Route(_) => f.write_str("routes")?,
            Place::Variable(name) => f.write_str(name)?,
            Place::Address(name) => f.write_str(name)?,
        }
        match &self.value {
            Some(value) => write!(f, ": {value}"),
            None => f.write_str(": the id of the new namespace"),
        }
    }
}

impl Setting {
    /// The text of the file with the value; `None` if it has it already.
    ///
    /// # Errors
    /// If the text does not parse, or does not have the place.
    pub fn changed(&self, text: &str) -> Result<Option<String>, Failure> {
        // The id of a namespace that does not exist yet: it will differ.
        let value = self.value.as_deref().unwrap_or_default();
        if let Place::Variable(name) = &self.place {
            return Ok(changed_variable(text, name, value));
        }
        if let Place::Address(name) = &self.place {
            return Ok(changed_address(text, name, value));
        }
        let root = CstRootNode::parse(text, &wrangler_config::SYNTAX)
            .map_err(|error| Failure::usage(format!("{}: {error}", self.file), "Correct the file."))?;
        let top = root.object_value().ok_or_else(|| self.absent())?;
        let is_changed = match &self.place {
            Place::Member(names) => {
                let (last, way) = names.split_last().ok_or_else(|| self.absent())?;
                let object = way.iter().try_fold(top, |object, name| {
                    object.object_value(name).ok_or_else(|| self.absent())
                })?;
                set_text(&object, last, value)
            }
            Place::Binding(list, binding, member) => {
                let elements = top.array_value(list).ok_or_else(|| self.absent())?.elements();
                let bound = elements
                    .iter()
                    .filter_map(CstNode::as_object)
                    .find(|element| text_of(element, "binding").as_deref() == Some(binding));
                set_text(&bound.ok_or_else(|| self.absent())?, member, value)
            }
            Place::Route(zone) => add_route(&top, zone, value),
            Place::Variable(_) | Place::Address(_) => false,
        };
        Ok(is_changed.then(|| root.to_string()))
    }

    fn absent(&self) -> Failure {
        Failure::usage(
            format!("{} has no place for {self}", self.file),
            format!("Type `git diff {}`, and take back what removed it.", self.file),
        )
    }
}

fn text_of(object: &CstObject, member: &str) -> Option<String> {
    object.get(member)?.value()?.as_string_lit()?.decoded_value().ok()
}

fn set_text(object: &CstObject, member: &str, value: &str) -> bool {
    if text_of(object, member).as_deref() == Some(value) {
        return false;
    }
    let value = CstInputValue::String(value.to_owned());
    match object.get(member) {
        Some(property) => property.set_value(value),
        None => drop(object.append(member, value)),
    }
    true
}

fn add_route(top: &CstObject, zone: &str, pattern: &str) -> bool {
    let routes = top.array_value_or_set("routes");
    let is_there = routes.elements().iter().any(|route| {
        let written = route.as_object().and_then(|route| text_of(&route, "pattern"));
        written
            .or_else(|| route.as_string_lit()?.decoded_value().ok())
            .as_deref()
            == Some(pattern)
    });
    if !is_there {
        let text = |text: &str| CstInputValue::String(text.to_owned());
        routes.append(CstInputValue::Object(vec![
            ("pattern".to_owned(), text(pattern)),
            ("zone_name".to_owned(), text(zone)),
        ]));
    }
    !is_there
}

/// The text with another address, if the present one is that of a Worker with another name.
fn changed_address(text: &str, name: &str, value: &str) -> Option<String> {
    let begin = format!("https://{DEPLOY_API_WORKER}.");
    let is_other = text.lines().any(|line| {
        line.strip_prefix(name)
            .and_then(|rest| rest.strip_prefix('='))
            .is_some_and(|address| address.contains(".workers.dev") && !address.starts_with(&begin))
    });
    is_other.then(|| changed_variable(text, name, value)).flatten()
}

fn changed_variable(text: &str, name: &str, value: &str) -> Option<String> {
    let line = format!("{name}={value}");
    let is_of_name = |found: &str| {
        found
            .split_once('=')
            .is_some_and(|(variable, _)| variable.trim() == name)
    };
    if text.lines().any(|found| found == line) {
        return None;
    }
    if !text.lines().any(is_of_name) {
        return Some(format!("{}\n{line}\n", text.trim_end_matches('\n')));
    }
    let lines = text.split_inclusive('\n').map(|found| {
        if is_of_name(found) {
            format!("{line}{}", if found.ends_with('\n') { "\n" } else { "" })
        } else {
            found.to_owned()
        }
    });
    Some(lines.collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_zone_gets_its_routes_once() {
        let route = |pattern: &str| Setting {
            file: "wrangler.jsonc",
            place: Place::Route("agents.do"),
            value: Some(pattern.to_owned()),
        };
        let text = "{\n  // Kept.\n  \"name\": \"dispatcher\",\n}\n";
        let once = route("agents.do/*").changed(text).unwrap().unwrap();
        let twice = route("*.agents.do/*").changed(&once).unwrap().unwrap();
        assert!(twice.contains("// Kept."), "{twice}");
        assert_eq!(route("agents.do/*").changed(&twice).unwrap(), None);
        let value = wrangler_config::parse(&twice).unwrap();
        assert_eq!(
            value["routes"],
            json!([
                { "pattern": "agents.do/*", "zone_name": "agents.do" },
                { "pattern": "*.agents.do/*", "zone_name": "agents.do" },
            ])
        );
    }
}
