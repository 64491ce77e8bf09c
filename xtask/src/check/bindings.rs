//! Checks that the Worker reads each binding, variable and secret of its configuration. A binding with another name
//! deploys without an error, and the Worker runs without it.

use serde_json::Value;

use super::{
    elements,
    problems::{Problems, child, closest},
};

/// What a Worker reads from its `env`.
#[derive(Clone, Copy, Debug)]
pub struct Interface {
    /// The Worker, in a sentence.
    pub worker: &'static str,
    /// The section of the configuration that declares a binding, such as `kv_namespaces`, and the binding's name.
    pub bindings: &'static [(&'static str, &'static str)],
    /// Names in `vars`.
    pub variables: &'static [&'static str],
    /// Names in `secrets.required`. A secret in `vars` is a separate problem.
    pub secrets: &'static [&'static str],
}

/// One name that a configuration declares.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Declared<'c> {
    /// The top-level member: `kv_namespaces`, `vars`, `secrets`.
    section: &'c str,
    name: &'c str,
    pointer: String,
}

impl Interface {
    /// Adds every name that the Worker does not read, and every name that is declared twice. Returns the names that a
    /// misspelt one was probably meant to be: those are not missing.
    pub fn check(&self, configuration: &Value, problems: &mut Problems) -> Vec<&'static str> {
        let declared = declared(configuration);
        let mut meant = Vec::new();
        for (index, entry) in declared.iter().enumerate() {
            let earlier = declared.iter().take(index).find(|other| other.name == entry.name);
            if let Some(earlier) = earlier {
                problems.add(
                    entry.pointer.as_str(),
                    format!(
                        "\"{}\" is declared twice, first in \"{}\": remove one",
                        entry.name, earlier.section
                    ),
                );
            } else if !self.has(entry.section, entry.name) {
                let absent =
                    |(_, name): &(&str, &'static str)| !declared.iter().any(|other| other.name == *name);
                let candidates = self.all().filter(absent);
                let suggestion = closest(entry.name, candidates.map(|(_, name)| name));
                problems.add(entry.pointer.as_str(), self.advice(entry, suggestion));
                if let Some(suggestion) = suggestion {
                    problems.ignore(child("/vars", suggestion));
                    meant.push(suggestion);
                }
            }
        }
        meant
    }

    fn has(&self, section: &str, name: &str) -> bool {
        // Another check reports a secret in `vars`.
        self.all().any(|known| known == (section, name))
            || (section == "vars" && self.secrets.contains(&name))
    }

    /// Every name with its section.
    fn all(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let variables = self.variables.iter().map(|name| ("vars", *name));
        let secrets = self.secrets.iter().map(|name| ("secrets", *name));
        self.bindings.iter().copied().chain(variables).chain(secrets)
    }

    fn advice(&self, entry: &Declared<'_>, suggestion: Option<&str>) -> String {
        let (worker, name) = (self.worker, entry.name);
        if let Some((section, _)) = self.all().find(|(_, known)| *known == name) {
            return format!("{worker} reads \"{name}\" from \"{section}\": move it there");
        }
        if let Some(suggestion) = suggestion {
            return format!("{worker} does not read \"{name}\": write \"{suggestion}\"");
        }
        let of_section: Vec<&str> = self
            .all()
            .filter(|(section, _)| *section == entry.section)
            .map(|(_, name)| name)
            .collect();
        let known = if of_section.is_empty() {
            format!("it reads nothing from \"{}\"", entry.section)
        } else {
            format!("from \"{}\" it reads {}", entry.section, of_section.join(", "))
        };
        format!("{worker} does not read \"{name}\" ({known}): remove it")
    }
}

/// Every name that the configuration puts into `env`, in the order of the file's sections.
fn declared(configuration: &Value) -> Vec<Declared<'_>> {
    let mut found = Vec::new();
    for (section, value) in configuration.as_object().into_iter().flatten() {
        let pointer = child("", section);
        match section.as_str() {
            "vars" => {
                let variables = value.as_object().into_iter().flatten();
                found.extend(variables.map(|(name, _)| Declared {
                    section,
                    name,
                    pointer: child(&pointer, name),
                }));
            }
            "secrets" => {
                for (index, name) in elements(value, "/required").iter().enumerate() {
                    found.extend(name.as_str().map(|name| Declared {
                        section,
                        name,
                        pointer: format!("{pointer}/required/{index}"),
                    }));
                }
            }
            // `dev`, `build` and `env` hold no bindings of this configuration.
            "dev" | "build" | "env" => {}
            _ => collect(section, &pointer, value, &mut found),
        }
    }
    found
}

/// The sections whose bindings have a "name", as Durable Objects have. Everywhere else it is "binding".
const NAMED: [&str; 5] = ["durable_objects", "send_email", "ratelimits", "unsafe", "logfwdr"];

fn collect<'c>(section: &'c str, pointer: &str, value: &'c Value, found: &mut Vec<Declared<'c>>) {
    match value {
        Value::Object(members) => {
            let member = if NAMED.contains(&section) {
                "name"
            } else {
                "binding"
            };
            if let Some(name) = members.get(member).and_then(Value::as_str) {
                found.push(Declared {
                    section,
                    name,
                    pointer: child(pointer, member),
                });
            }
            for (name, value) in members {
                collect(section, &child(pointer, name), value, found);
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                collect(section, &format!("{pointer}/{index}"), value, found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const INTERFACE: Interface = Interface {
        worker: "the Worker",
        bindings: &[
            ("kv_namespaces", "HOSTNAMES"),
            ("analytics_engine_datasets", "ANALYTICS"),
            ("durable_objects", "LEDGER"),
        ],
        variables: &["ROUTES"],
        secrets: &["TOKEN"],
    };

    fn problems(configuration: &Value) -> Vec<String> {
        let mut problems = Problems::default();
        INTERFACE.check(configuration, &mut problems);
        problems.into_vec().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn accepts_every_name_that_the_worker_reads() {
        let configuration = json!({
            "name": "a",
            "kv_namespaces": [{"binding": "HOSTNAMES", "id": "0"}],
            "analytics_engine_datasets": [{"binding": "ANALYTICS"}],
            "durable_objects": {"bindings": [{"name": "LEDGER", "class_name": "Ledger"}]},
            "vars": {"ROUTES": []},
            "secrets": {"required": ["TOKEN"]},
            "tail_consumers": [{"service": "logs"}],
        });
        assert_eq!(problems(&configuration), [""; 0]);
    }

    #[test]
    fn rejects_a_name_that_the_worker_does_not_read() {
        for (configuration, expected) in [
            (
                json!({"kv_namespaces": [{"binding": "HOSTNAME"}]}),
                "kv_namespaces[0].binding: the Worker does not read \"HOSTNAME\": write \"HOSTNAMES\"",
            ),
            (
                json!({"analytics_engine_datasets": [{"binding": "analytics"}]}),
                "analytics_engine_datasets[0].binding: the Worker does not read \"analytics\": write \"ANALYTICS\"",
            ),
            (
                json!({"durable_objects": {"bindings": [{"name": "LEGDER", "class_name": "Ledger"}]}}),
                "durable_objects.bindings[0].name: the Worker does not read \"LEGDER\": write \"LEDGER\"",
            ),
            (
                json!({"vars": {"ROUTE": []}}),
                "vars.ROUTE: the Worker does not read \"ROUTE\": write \"ROUTES\"",
            ),
            (
                json!({"secrets": {"required": ["TOKENS"]}}),
                "secrets.required[0]: the Worker does not read \"TOKENS\": write \"TOKEN\"",
            ),
            (
                json!({"kv_namespaces": [{"binding": "CACHE"}]}),
                "kv_namespaces[0].binding: the Worker does not read \"CACHE\" (from \"kv_namespaces\" it reads HOSTNAMES): \
                 remove it",
            ),
            (
                json!({"queues": {"producers": [{"binding": "QUEUE"}]}}),
                "queues.producers[0].binding: the Worker does not read \"QUEUE\" (it reads nothing from \"queues\"): remove \
                 it",
            ),
            (
                json!({"ai": {"binding": "AI"}}),
                "ai.binding: the Worker does not read \"AI\" (it reads nothing from \"ai\"): remove it",
            ),
            (
                json!({"r2_buckets": [{"binding": "HOSTNAMES"}]}),
                "r2_buckets[0].binding: the Worker reads \"HOSTNAMES\" from \"kv_namespaces\": move it there",
            ),
        ] {
            assert_eq!(problems(&configuration), [expected]);
        }
    }

    #[test]
    fn rejects_a_name_that_is_declared_twice() {
        let twice = json!({"kv_namespaces": [{"binding": "HOSTNAMES"}, {"binding": "HOSTNAMES"}]});
        assert_eq!(
            problems(&twice),
            [
                "kv_namespaces[1].binding: \"HOSTNAMES\" is declared twice, first in \"kv_namespaces\": remove one"
            ]
        );
        let elsewhere = json!({"kv_namespaces": [{"binding": "HOSTNAMES"}], "vars": {"HOSTNAMES": "x"}});
        assert_eq!(
            problems(&elsewhere),
            ["vars.HOSTNAMES: \"HOSTNAMES\" is declared twice, first in \"kv_namespaces\": remove one"]
        );
    }

    #[test]
    fn does_not_suggest_a_declared_name() {
        let both = json!({"kv_namespaces": [{"binding": "HOSTNAMES"}, {"binding": "HOSTNAME"}]});
        assert!(problems(&both)[0].ends_with("remove it"), "{:?}", problems(&both));
    }
}
