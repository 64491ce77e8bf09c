//! The platforms that these tests share.

use std::{
    fs,
    path::{Path, PathBuf},
};

use end_to_end::{Options, Platform, Shared, dispatcher_build, trapping_dispatcher_build};

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

/// As a developer has it, with `ROUTES` and with a log of refusals.
pub fn sound() -> &'static Platform {
    static SOUND: Shared = Shared::new(|| {
        Options::new()
            .rest_api()
            .dispatcher_variable("ROUTES", ROUTES)
            .dispatcher_variable("LOG_REFUSALS", "1")
    });
    SOUND.get()
}

/// With namespaces that fail in every way that a binding can (`faulty_entry.js`), and without the development namespace.
pub fn faulty() -> &'static Platform {
    static FAULTY: Shared = Shared::new(|| {
        Options::new()
            .rest_api()
            .dispatcher_build(&faulty_build("faulty-dispatcher", &dispatcher_build()))
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

/// With the namespaces of [`faulty`], and with a build of the dispatch Worker that traps on request.
pub fn trapping() -> &'static Platform {
    static TRAPPING: Shared = Shared::new(|| {
        let build = faulty_build("trapping-dispatcher", &trapping_dispatcher_build());
        Options::new().rest_api().dispatcher_build(&build)
    });
    TRAPPING.get()
}

/// A build of the dispatch Worker behind `faulty_entry.js`.
fn faulty_build(name: &str, build: &anyhow::Result<PathBuf>) -> PathBuf {
    let build = build.as_ref().expect("a build of the dispatch Worker");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    copy(build, &folder).expect("a copy of the build");
    fs::rename(folder.join("entry.js"), folder.join("dispatcher.js")).expect("the entry of the build");
    fs::write(folder.join("entry.js"), include_str!("faulty_entry.js")).expect("an entry");
    folder
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
