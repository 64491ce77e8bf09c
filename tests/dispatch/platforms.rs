//! The platforms that these tests share: one as a developer has it, and two that something is wrong with.

use std::{
    fs,
    path::{Path, PathBuf},
};

use end_to_end::{Options, Platform, Shared, dispatcher_build};

/// Rules in front of the built-in ones.
const ROUTES: &str = r#"[
    {"pattern": "limited.rules.example", "worker": "limited",
     "limits": {"cpu_ms": 50, "subrequests": 5}, "outbound": {"tenant": "acme", "nested": [1, null]}},
    {"pattern": "cpu.rules.example", "worker": "limited", "limits": {"cpu_ms": 10}},
    {"pattern": "outbound.rules.example", "worker": "limited", "outbound": {"tenant": "b"}},
    {"pattern": "{tenant}.{app}.tenants.example", "worker": "{tenant}-{app}", "environment": "staging"},
    {"pattern": "in-front.do", "worker": "another-in-front"},
    {"pattern": "{worker}.example.com", "worker": "{worker}"},
    {"pattern": "xn--bcher-kva.example", "worker": "books"},
    {"pattern": "versions.rules.example/api/{version}/*", "worker": "api-{version}", "strip_prefix": true},
    {"pattern": "versions.rules.example/kept/{worker}/*", "worker": "{worker}"}
]"#;

/// As a developer has it, with `ROUTES`.
pub fn sound() -> &'static Platform {
    static SOUND: Shared = Shared::new(|| Options::new().rest_api().dispatcher_variable("ROUTES", ROUTES));
    SOUND.get()
}

/// With namespaces that fail in every way that a binding can, as `faulty_entry.js` has it, and without that of the
/// development environment.
pub fn faulty() -> &'static Platform {
    static FAULTY: Shared = Shared::new(|| {
        Options::new()
            .rest_api()
            .dispatcher_build(&faulty_build())
            .without_binding("DISPATCHER_DEVELOPMENT")
    });
    FAULTY.get()
}

/// With rules that cannot be loaded.
pub fn misconfigured() -> &'static Platform {
    static MISCONFIGURED: Shared = Shared::new(|| {
        let routes = r#"[{"pattern": "*.example.com", "worker": "a"}]"#;
        Options::new().rest_api().dispatcher_variable("ROUTES", routes)
    });
    MISCONFIGURED.get()
}

/// The dispatch Worker as it is built, behind an entry of the tests' own.
fn faulty_build() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("faulty-dispatcher");
    fs::create_dir_all(&folder).expect("a folder");
    let build = dispatcher_build().expect("a build of the dispatch Worker");
    for file in fs::read_dir(&build).expect("its files") {
        let file = file.expect("a file of the build");
        let to = match file.file_name() {
            name if name == "entry.js" => "dispatcher.js".into(),
            name => name,
        };
        fs::copy(file.path(), folder.join(to)).expect("a copy of the build");
    }
    fs::write(folder.join("entry.js"), include_str!("faulty_entry.js")).expect("an entry");
    folder
}
