//! The platforms that these tests share.

use std::path::{Path, PathBuf};

use end_to_end::{Options, Platform, Shared, copy_with_entry, dispatcher_build, trapping_dispatcher_build};

/// The rules of the variable `ROUTES`, which take precedence over the built-in rules.
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

/// The platform of a developer, with [`ROUTES`] and with a log of refusals.
pub fn standard() -> &'static Platform {
    static STANDARD: Shared = Shared::new(|| {
        Options::new()
            .rest_api()
            .dispatcher_variable("ROUTES", ROUTES)
            .dispatcher_variable("LOG_REFUSALS", "1")
    });
    STANDARD.get()
}

/// A platform whose production namespace fails in every way that a binding can (`faulty_entry.js`), without the
/// development namespace and without a log of refusals.
pub fn faulty() -> &'static Platform {
    static FAULTY: Shared = Shared::new(|| {
        Options::new()
            .rest_api()
            .dispatcher_build(&faulty_build("faulty-dispatcher", &dispatcher_build()))
            .without_binding("DISPATCHER_DEVELOPMENT")
    });
    FAULTY.get()
}

/// A platform whose `ROUTES` are invalid.
pub fn misconfigured() -> &'static Platform {
    static MISCONFIGURED: Shared = Shared::new(|| {
        let routes = r#"[{"pattern": "*.example.com", "worker": "a"}]"#;
        Options::new().rest_api().dispatcher_variable("ROUTES", routes)
    });
    MISCONFIGURED.get()
}

/// A platform with the production namespace of [`faulty`] and a build of the dispatch Worker that traps when a header
/// requests it (the feature `test-traps`).
pub fn trapping() -> &'static Platform {
    static TRAPPING: Shared = Shared::new(|| {
        let build = faulty_build("trapping-dispatcher", &trapping_dispatcher_build());
        Options::new().rest_api().dispatcher_build(&build)
    });
    TRAPPING.get()
}

/// Copies a build of the dispatch Worker, and makes `faulty_entry.js` its entry.
fn faulty_build(name: &str, build: &anyhow::Result<PathBuf>) -> PathBuf {
    let build = build.as_ref().expect("the dispatch Worker builds");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    copy_with_entry(build, &folder, include_str!("faulty_entry.js"), "dispatcher.js")
        .expect("the build is copied");
    folder
}
