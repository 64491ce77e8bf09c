//! What workerd is told: a contender behind a socket, and the namespaces in front of the user Worker.

use std::{fmt::Write as _, path::Path};

use crate::{contender::Contender, load};

pub const NAMESPACE: &str = include_str!("../runtime/namespace.js");
pub const USER_WORKER: &str = include_str!("../runtime/user-worker.js");
pub const STARTER: &str = include_str!("../runtime/starter.js");
pub const SOAK: &str = include_str!("../runtime/soak.js");
pub const CAPTURE: &str = include_str!("../runtime/capture.js");

/// The compatibility settings of the dispatch Worker's deployment, which all contenders run with.
#[derive(Clone, Debug)]
pub struct Compatibility {
    pub date: String,
    pub flags: Vec<String>,
}

/// A configuration in Cap'n Proto's text format; the files that it embeds stand beside it.
pub struct Configuration<'a> {
    pub compatibility: &'a Compatibility,
    pub port: u16,
}

impl Configuration<'_> {
    /// The contender with `modules` (the first is the main one), and every Worker that a load asks for.
    pub fn serving(&self, contender: Contender, modules: &[&str]) -> String {
        let user_worker = self.worker("user-worker", &["user-worker.js"], "");
        let (services, socket) = if contender.dispatches() {
            let bindings = Self::namespaces();
            let dispatcher = self.worker("dispatcher", modules, &bindings);
            (
                format!("{user_worker}, {dispatcher}"),
                "\"dispatcher\"".to_owned(),
            )
        } else {
            (user_worker, script(&load::worker(0)))
        };
        let namespace =
            "(modules = [(name = \"bench:namespace\", internal = true, esModule = embed \"namespace.js\")])";
        self.config(&services, &socket, namespace)
    }

    /// A Worker that starts the contender with `modules` anew for every path that it is asked for.
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
        self.config(&worker, "\"starter\"", "")
    }

    fn config(&self, services: &str, socket: &str, extensions: &str) -> String {
        format!(
            "using Workerd = import \"/workerd/workerd.capnp\";\n\
             const config :Workerd.Config = (\n\
             services = [{services}],\n\
             extensions = [{extensions}],\n\
             sockets = [(name = \"http\", address = \"127.0.0.1:{}\", http = (), service = {socket})],\n\
             );\n",
            self.port
        )
    }

    fn worker(&self, name: &str, modules: &[&str], bindings: &str) -> String {
        let modules: Vec<_> = modules
            .iter()
            .map(|module| {
                let kind = if is_wasm(module) { "wasm" } else { "esModule" };
                format!("(name = \"{module}\", {kind} = embed \"{module}\")")
            })
            .collect();
        format!(
            "(name = \"{name}\", worker = (modules = [{}], {}, bindings = [{bindings}]))",
            modules.join(", "),
            self.compatibility(),
        )
    }

    fn compatibility(&self) -> String {
        let flags: Vec<_> = self
            .compatibility
            .flags
            .iter()
            .map(|flag| format!("\"{flag}\""))
            .collect();
        format!(
            "compatibilityDate = \"{}\", compatibilityFlags = [{}]",
            self.compatibility.date,
            flags.join(", ")
        )
    }

    /// The three namespaces. Production holds every Worker of the loads, each a service binding of its own.
    fn namespaces() -> String {
        let mut scripts = String::new();
        for number in 0..load::WORKERS {
            let name = load::worker(number);
            let _ = write!(scripts, "(name = \"{name}\", service = {}), ", script(&name));
        }
        let mut bindings = String::new();
        for environment in dotdo_names::Environment::ALL {
            let scripts = if environment == dotdo_names::Environment::Production {
                &*scripts
            } else {
                ""
            };
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
    Path::new(module).extension().is_some_and(|kind| kind == "wasm")
}

/// The user Worker under the name that it says.
fn script(name: &str) -> String {
    let props = serde_json::json!({ "name": name }).to_string();
    format!("(name = \"user-worker\", props = (json = {}))", text(&props))
}

/// A text in Cap'n Proto's notation.
fn text(content: &str) -> String {
    format!("\"{}\"", content.replace('\\', "\\\\").replace('"', "\\\""))
}
