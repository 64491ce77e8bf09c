//! The values in the files of the repository that follow from `dotdo.jsonc`. `npm run check` compares them, and `dotdo setup` writes them.

use dotdo_names::{
    ACCOUNT_ID, CUSTOM_HOSTNAME_ZONE, DEPLOY_API_WORKER, DISPATCH_WORKER, Environment, LOGS_WORKER, ZONES,
};
use serde_json::Value;

use crate::platform_worker::PlatformWorker;

/// The file that belongs to the account.
pub const ACCOUNT_FILE: &str = "dotdo.jsonc";

/// The variables for deployment scripts.
pub const ENV_FILE: &str = ".env.example";

/// The pattern of custom hostnames: the only one that matches every one of them.
pub const ANY_HOST: &str = "*/*";

/// The patterns of the routes that a zone needs: of the apex, and of all hosts below it.
#[must_use]
pub fn zone_patterns(zone: &str) -> [String; 2] {
    [format!("{zone}/*"), format!("*.{zone}/*")]
}

/// The zones of an account.
#[derive(Clone, Copy, Debug)]
pub struct Zones<'z> {
    /// `zones` in `dotdo.jsonc`.
    pub routed: &'z [&'z str],
    /// `custom_hostname_zone` in `dotdo.jsonc`.
    pub custom_hostnames: Option<&'z str>,
}

impl Zones<'static> {
    /// The zones with which this program was built.
    pub const BUILT: Self = Self {
        routed: ZONES,
        custom_hostnames: CUSTOM_HOSTNAME_ZONE,
    };
}

/// A value in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The file, from the top of the repository.
    pub file: &'static str,
    /// Where it is.
    pub place: Place,
    /// `None`: the id of a namespace that does not exist yet.
    pub value: Option<String>,
}

/// Where a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A text in an object: the names of the members on the way.
    Member(Vec<&'static str>),
    /// A member of the element with this `binding`: list, binding, member.
    Binding(&'static str, &'static str, &'static str),
    /// An element of `routes`, with the pattern of the value and this zone.
    Route(String),
    /// A line `NAME=value`.
    Variable(String),
    /// The same with an address, whose host must begin with the name of the deploy API.
    Address(&'static str),
}

/// Every value that follows from `dotdo.jsonc`, and the ids of the namespaces there. `id` is the id of the namespace of an environment.
#[must_use]
pub fn settings(zones: Zones<'_>, id: impl Fn(Environment) -> Option<String>) -> Vec<Setting> {
    let set = |file, place, value: &str| Setting {
        file,
        place,
        value: Some(value.to_owned()),
    };
    let dispatch = PlatformWorker::Dispatch.configuration();
    let api = PlatformWorker::DeployApi.configuration();
    let mut settings = vec![
        set(
            ENV_FILE,
            Place::Variable("CLOUDFLARE_ACCOUNT_ID".to_owned()),
            ACCOUNT_ID,
        ),
        set(
            ENV_FILE,
            Place::Address("CLOUDFLARE_API_BASE_URL"),
            &format!("https://{DEPLOY_API_WORKER}.<subdomain>.workers.dev/client/v4"),
        ),
    ];
    for worker in PlatformWorker::ALL {
        let file = worker.configuration();
        settings.push(set(file, Place::Member(vec!["name"]), worker.script()));
        settings.push(set(file, Place::Member(vec!["account_id"]), ACCOUNT_ID));
    }
    for environment in Environment::ALL {
        let variable = environment.name().to_ascii_uppercase();
        settings.push(Setting {
            file: ACCOUNT_FILE,
            place: Place::Member(vec!["namespaces", environment.name(), "id"]),
            value: id(environment),
        });
        settings.push(Setting {
            file: ENV_FILE,
            place: Place::Variable(format!("DISPATCH_NAMESPACE_ID_{variable}")),
            value: id(environment),
        });
        settings.push(set(
            ENV_FILE,
            Place::Variable(format!("DISPATCH_NAMESPACE_{variable}")),
            environment.namespace(),
        ));
        settings.push(set(
            dispatch,
            Place::Binding("dispatch_namespaces", environment.binding(), "namespace"),
            environment.namespace(),
        ));
    }
    let service = |binding| Place::Binding("services", binding, "service");
    settings.push(set(dispatch, service("LOGS"), LOGS_WORKER));
    settings.push(set(api, service("LOGS"), LOGS_WORKER));
    settings.push(set(api, service("DISPATCHER"), DISPATCH_WORKER));
    for zone in zones.routed {
        for pattern in zone_patterns(zone) {
            settings.push(set(dispatch, Place::Route((*zone).to_owned()), &pattern));
        }
    }
    if let Some(zone) = zones.custom_hostnames {
        settings.push(set(dispatch, Place::Route(zone.to_owned()), ANY_HOST));
    }
    settings
}

impl Setting {
    /// Where a configuration has the value, as a JSON Pointer (RFC 6901); `None` for a binding that the configuration does not have, and
    /// for places that are not one member.
    #[must_use]
    pub fn pointer(&self, configuration: &Value) -> Option<String> {
        match &self.place {
            Place::Member(names) => Some(format!("/{}", names.join("/"))),
            Place::Binding(list, binding, member) => {
                let elements = configuration.get(list)?.as_array()?;
                let index = elements
                    .iter()
                    .position(|element| element.get("binding").and_then(Value::as_str) == Some(binding))?;
                Some(format!("/{list}/{index}/{member}"))
            }
            Place::Route(_) | Place::Variable(_) | Place::Address(_) => None,
        }
    }

    /// The name of the variable in [`ENV_FILE`]; `None` for a place in another file.
    #[must_use]
    pub fn variable(&self) -> Option<&str> {
        match &self.place {
            Place::Variable(name) => Some(name),
            Place::Address(name) => Some(name),
            _ => None,
        }
    }

    /// Whether a value may stay as it is. The address of a deploy API that is not at workers.dev can be any.
    #[must_use]
    pub fn accepts(&self, found: &str) -> bool {
        if matches!(self.place, Place::Address(_)) {
            let begin = format!("https://{DEPLOY_API_WORKER}.");
            return !found.contains(".workers.dev") || found.starts_with(&begin);
        }
        self.value.as_deref() == Some(found)
    }
}

/// The line, from 0, and the value of a variable in the text of [`ENV_FILE`].
#[must_use]
pub fn variable_in<'t>(text: &'t str, name: &str) -> Option<(usize, &'t str)> {
    text.lines().enumerate().find_map(|(index, line)| {
        let (found, value) = line.split_once('=')?;
        (found.trim() == name).then_some((index, value.trim()))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_files_of_the_repository_have_every_value() {
        let top = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let ids = |environment: Environment| Some(environment.namespace_id().to_owned());
        for setting in settings(Zones::BUILT, ids) {
            let path = top.join(setting.file);
            if matches!(setting.place, Place::Route(_)) {
                continue;
            }
            let found = if let Some(name) = setting.variable() {
                let text = std::fs::read_to_string(path).unwrap();
                variable_in(&text, name).map(|(_, value)| value.to_owned())
            } else {
                let configuration = crate::read(&path).unwrap();
                let pointer = setting.pointer(&configuration);
                pointer.and_then(|pointer| configuration.pointer(&pointer)?.as_str().map(str::to_owned))
            };
            assert!(found.is_some_and(|found| setting.accepts(&found)), "{setting:?}");
        }
    }

    #[test]
    fn a_binding_has_a_place_only_if_it_is_declared() {
        let setting = Setting {
            file: "wrangler.jsonc",
            place: Place::Binding("services", "LOGS", "service"),
            value: Some("logs".to_owned()),
        };
        let configuration = json!({ "services": [{ "binding": "A" }, { "binding": "LOGS" }] });
        assert_eq!(
            setting.pointer(&configuration).as_deref(),
            Some("/services/1/service")
        );
        assert_eq!(setting.pointer(&json!({ "services": [] })), None);
        assert!(setting.accepts("logs") && !setting.accepts("log"));
    }
}
