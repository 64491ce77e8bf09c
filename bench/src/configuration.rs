//! The workerd configurations: a contender behind a socket, and the namespaces in front of the user Worker.

use std::{fmt::Write as _, path::Path};

use dotdo_names::Environment::Production;

use crate::{contender::Contender, load};

pub const USER_WORKER: &str = include_str!("../runtime/user-worker.js");
pub const EMPTY: &str = include_str!("../runtime/empty.js");

/// The files that the configurations embed, by name.
pub const EMBEDDED: [(&str, &str); 7] = [
    ("namespace.js", include_str!("../runtime/namespace.js")),
    ("analytics.js", include_str!("../runtime/analytics.js")),
    ("user-worker.js", USER_WORKER),
    ("inspect.js", include_str!("../runtime/inspect.js")),
    ("capture.js", include_str!("../runtime/capture.js")),
    ("caller.js", include_str!("../runtime/caller.js")),
    ("starter.js", include_str!("../runtime/starter.js")),
];

/// The compatibility settings of the dispatch Worker's deployment, which all contenders run with.
#[derive(Clone, Debug)]
pub struct Compatibility {
    pub date: String,
    pub flags: Vec<String>,
}

/// The ports of one workerd process, on the loopback address.
#[derive(Clone, Copy)]
pub struct Ports {
    /// The contender.
    pub http: u16,
    /// The entrypoint `Inspect` in the contender's isolate; unused where the contender is not a dispatcher.
    pub inspect: u16,
}

/// The bindings that only some of a contender's processes have.
#[derive(Clone, Copy, Default)]
pub struct Optional {
    /// Binds `ANALYTICS`.
    pub analytics: bool,
    /// Sets `LOG_REFUSALS` to `1`.
    pub log_refusals: bool,
    /// Serves a Worker that forwards its requests to the first Worker through a service binding: through the contender, if it is a
    /// dispatcher.
    pub caller: bool,
}

/// Writes configurations in Cap'n Proto's text format. The files that they embed are in the same folder.
pub struct Configuration<'a> {
    pub compatibility: &'a Compatibility,
    pub ports: Ports,
}

impl Configuration<'_> {
    /// The contender with `modules`, and every user Worker that a load requests.
    pub fn serving(&self, contender: Contender, modules: &[&str], optional: Optional) -> String {
        let user_worker = self.worker("user-worker", &["user-worker.js"], "");
        if !contender.dispatches() {
            let first = script(&load::worker(0));
            if optional.caller {
                let socket = Self::socket("http", self.ports.http, "\"caller\"");
                return Self::config(&format!("{user_worker}, {}", self.caller(&first)), &socket, "");
            }
            let socket = Self::socket("http", self.ports.http, &first);
            return Self::config(&user_worker, &socket, "");
        }
        let mut bindings = Self::namespaces();
        if optional.analytics {
            bindings += "(name = \"ANALYTICS\", wrapped = (moduleName = \"bench:analytics\")), ";
        }
        if optional.log_refusals {
            bindings += "(name = \"LOG_REFUSALS\", text = \"1\"), ";
        }
        let modules = [&["inspect.js", "capture.js"], modules].concat();
        let dispatcher = self.worker("dispatcher", &modules, &bindings);
        let (served, caller) = if optional.caller {
            (
                "caller",
                format!(", {}", self.caller(&namespace_service(&load::worker(0)))),
            )
        } else {
            ("dispatcher", String::new())
        };
        let sockets = [
            Self::socket("http", self.ports.http, &format!("\"{served}\"")),
            Self::socket(
                "inspect",
                self.ports.inspect,
                "(name = \"dispatcher\", entrypoint = \"Inspect\")",
            ),
        ];
        let extension = |name| {
            format!(
                "(modules = [(name = \"bench:{name}\", internal = true, esModule = embed \"{name}.js\")])"
            )
        };
        Self::config(
            &format!("{user_worker}, {dispatcher}{caller}"),
            &sockets.join(", "),
            &format!("{}, {}", extension("namespace"), extension("analytics")),
        )
    }

    /// The Worker that forwards its requests to a service.
    fn caller(&self, service: &str) -> String {
        let binding = format!("(name = \"SERVICE\", service = {service})");
        self.worker("caller", &["caller.js"], &binding)
    }

    /// A Worker that starts a new isolate of the contender for every path that is requested.
    pub fn starting(&self, modules: &[&str]) -> String {
        let Compatibility { date, flags } = self.compatibility;
        let compatibility = serde_json::json!({ "date": date, "flags": flags }).to_string();
        let mut bindings = format!(
            "(name = \"LOADER\", workerLoader = ()), (name = \"COMPATIBILITY\", json = {})",
            text(&compatibility)
        );
        for module in modules {
            let kind = if is_wasm(module) { "data" } else { "text" };
            let _ = write!(bindings, ", (name = \"{module}\", {kind} = embed \"{module}\")");
        }
        let worker = self.worker("starter", &["starter.js"], &bindings);
        Self::config(&worker, &Self::socket("http", self.ports.http, "\"starter\""), "")
    }

    fn config(services: &str, sockets: &str, extensions: &str) -> String {
        format!(
            "using Workerd = import \"/workerd/workerd.capnp\";\n\
             const config :Workerd.Config = (\n\
             services = [{services}],\n\
             extensions = [{extensions}],\n\
             sockets = [{sockets}],\n\
             );\n"
        )
    }

    fn socket(name: &str, port: u16, service: &str) -> String {
        format!("(name = \"{name}\", address = \"127.0.0.1:{port}\", http = (), service = {service})")
    }

    fn worker(&self, name: &str, modules: &[&str], bindings: &str) -> String {
        let modules: Vec<_> = modules
            .iter()
            .map(|module| {
                let kind = if is_wasm(module) { "wasm" } else { "esModule" };
                format!("(name = \"{module}\", {kind} = embed \"{module}\")")
            })
            .collect();
        let flags: Vec<_> = self.compatibility.flags.iter().map(|flag| text(flag)).collect();
        format!(
            "(name = \"{name}\", worker = (modules = [{}], compatibilityDate = {}, \
             compatibilityFlags = [{}], bindings = [{bindings}]))",
            modules.join(", "),
            text(&self.compatibility.date),
            flags.join(", "),
        )
    }

    /// The three namespaces. Production has every Worker of the loads, each as a separate service binding.
    fn namespaces() -> String {
        let mut scripts = String::new();
        for number in 0..load::WORKERS {
            let name = load::worker(number);
            let _ = write!(scripts, "(name = \"{name}\", service = {}), ", script(&name));
        }
        let mut bindings = String::new();
        for environment in dotdo_names::Environment::ALL {
            let scripts = if environment == Production { &*scripts } else { "" };
            let _ = writeln!(
                bindings,
                "(name = \"{}\", wrapped = (moduleName = \"bench:namespace\", innerBindings = [{scripts}])), ",
                environment.binding()
            );
        }
        bindings
    }
}

fn is_wasm(module: &str) -> bool {
    Path::new(module)
        .extension()
        .is_some_and(|extension| extension == "wasm")
}

/// The user Worker with the properties of the script `name`, which it returns as its response.
fn script(name: &str) -> String {
    let props = serde_json::json!({ "name": name }).to_string();
    format!("(name = \"user-worker\", props = (json = {}))", text(&props))
}

/// The dispatch Worker's entrypoint for service bindings, with the properties that the deploy API sets for a Worker in production.
fn namespace_service(worker: &str) -> String {
    let props = serde_json::json!({ "environment": Production.name(), "worker": worker }).to_string();
    let props = text(&props);
    format!("(name = \"dispatcher\", entrypoint = \"NamespaceService\", props = (json = {props}))")
}

/// A string literal in Cap'n Proto's notation.
fn text(content: &str) -> String {
    format!("\"{}\"", content.replace('\\', "\\\\").replace('"', "\\\""))
}
