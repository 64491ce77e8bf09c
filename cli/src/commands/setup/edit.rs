//! The text of a file of the clone with another value. Comments and layout stay.

use jsonc_parser::cst::{CstInputValue, CstNode, CstObject, CstRootNode};
use wrangler_config::{Place, Setting, variable_in};

use crate::failure::Failure;

/// A setting in a line, such as `account_id: 0123…`.
#[must_use]
pub fn shown(setting: &Setting) -> String {
    let place = match &setting.place {
        Place::Member(names) => names.join("."),
        Place::Binding(list, binding, member) => format!("{list}[{binding}].{member}"),
        Place::Route(_) => "routes".to_owned(),
        Place::Variable(name) => name.clone(),
        Place::Address(name) => (*name).to_owned(),
    };
    match &setting.value {
        Some(value) => format!("{place}: {value}"),
        None => format!("{place}: the id of the new namespace"),
    }
}

/// The text of the file with the value; `None` if it has it already.
///
/// # Errors
/// If the text does not parse, or does not have the place.
pub fn changed(setting: &Setting, text: &str) -> Result<Option<String>, Failure> {
    let Setting { file, place, value } = setting;
    // The id of a namespace that does not exist yet: it will differ.
    let value = value.as_deref().unwrap_or_default();
    if let Some(name) = setting.variable() {
        return Ok(changed_variable(setting, text, name, value));
    }
    let root = CstRootNode::parse(text, &wrangler_config::SYNTAX)
        .map_err(|error| Failure::usage(format!("{file}: {error}"), "Correct the file."))?;
    let absent = || absent(setting);
    let top = root.object_value().ok_or_else(absent)?;
    let is_changed = match place {
        Place::Member(names) => {
            let (last, way) = names.split_last().ok_or_else(absent)?;
            let object = way
                .iter()
                .try_fold(top, |object, name| object.object_value(name).ok_or_else(absent))?;
            set_text(&object, last, value)
        }
        Place::Binding(list, binding, member) => {
            let elements = top.array_value(list).ok_or_else(absent)?.elements();
            let bound = elements
                .iter()
                .filter_map(CstNode::as_object)
                .find(|element| text_of(element, "binding").as_deref() == Some(binding));
            set_text(&bound.ok_or_else(absent)?, member, value)
        }
        Place::Route(zone) => add_route(&top, zone, value),
        Place::Variable(_) | Place::Address(_) => false,
    };
    Ok(is_changed.then(|| root.to_string()))
}

fn absent(setting: &Setting) -> Failure {
    let file = setting.file;
    Failure::usage(
        format!("{file} has no place for {}", shown(setting)),
        format!("Type `git diff {file}`, and take back what removed it."),
    )
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

fn changed_variable(setting: &Setting, text: &str, name: &str, value: &str) -> Option<String> {
    let line = format!("{name}={value}");
    match variable_in(text, name) {
        Some((_, found)) if setting.accepts(found) => None,
        // An example without the address does not need it.
        None if matches!(setting.place, Place::Address(_)) => None,
        None => Some(format!("{}\n{line}\n", text.trim_end_matches('\n'))),
        Some((index, _)) => {
            let lines = text.split_inclusive('\n').enumerate().map(|(number, found)| {
                if number == index {
                    format!("{line}{}", if found.ends_with('\n') { "\n" } else { "" })
                } else {
                    found.to_owned()
                }
            });
            Some(lines.collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_zone_gets_its_routes_once() {
        let route = |pattern: &str| Setting {
            file: "wrangler.jsonc",
            place: Place::Route("agents.do".to_owned()),
            value: Some(pattern.to_owned()),
        };
        let text = "{\n  // Kept.\n  \"name\": \"dispatcher\",\n}\n";
        let once = changed(&route("agents.do/*"), text).unwrap().unwrap();
        let twice = changed(&route("*.agents.do/*"), &once).unwrap().unwrap();
        assert!(twice.contains("// Kept."), "{twice}");
        assert_eq!(changed(&route("agents.do/*"), &twice).unwrap(), None);
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
