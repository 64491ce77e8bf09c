//! The Durable Object class that a Worker of the platform binds and exports.

use serde_json::Value;

use super::{bindings_of, elements, must_be_at, problems::Problems};

/// A Durable Object class.
#[derive(Clone, Copy, Debug)]
pub struct Class {
    /// The name of the binding.
    pub binding: &'static str,
    /// The name of the class.
    pub name: &'static str,
}

/// Checks that the binding exists and has its class, and that the class uses SQLite. `meant` are the names that misspelt bindings were
/// probably meant to be.
pub fn check(configuration: &Value, class: Class, meant: &[&str], problems: &mut Problems) {
    let Class { binding, name } = class;
    if !meant.contains(&binding)
        && !bindings_of(configuration, "durable_objects").any(|found| found == binding)
    {
        problems.add(
            "/durable_objects",
            format!(
                "the binding {binding} is missing: add {{ \"name\": \"{binding}\", \"class_name\": \"{name}\" }} to its \"bindings\""
            ),
        );
    }
    let bindings = elements(configuration, "/durable_objects/bindings");
    for (index, entry) in bindings.iter().enumerate() {
        if entry["name"] == binding {
            let pointer = format!("/durable_objects/bindings/{index}/class_name");
            must_be_at(entry, "class_name", pointer, name, problems);
        }
    }
    let uses_sqlite = elements(configuration, "/migrations")
        .iter()
        .flat_map(|migration| elements(migration, "/new_sqlite_classes"))
        .any(|class| class == name);
    if !uses_sqlite {
        problems.add(
            "/migrations",
            format!(
                "no migration has the class {name} in \"new_sqlite_classes\", and Cloudflare cannot convert a class later: add \
                 {{ \"tag\": \"v1\", \"new_sqlite_classes\": [\"{name}\"] }}"
            ),
        );
    }
}
