//! The calls of Cloudflare's SDK: an upload with its content type, reads of a script, and its deletion.

use deploy_api::code::Code;
use futures_executor::block_on;
use serde_json::json;

use super::cloud::{Fault, REFUSED};
use super::platform::{Answered, Platform};
use super::support::callers::grant;
use super::wrangler_upload::Upload;

/// The form that the SDK sends, with a boundary of Node.
fn form(fields: &[(&str, &str)], files: &[(&str, &str)]) -> Vec<u8> {
    const BOUNDARY: &str = "----formdata-undici-012345678901";
    let fields = fields.iter().map(|(name, value)| {
        format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    });
    let files = files.iter().map(|(name, file)| {
        format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file}\"\r\n\
             Content-Type: application/javascript+module\r\n\r\nexport default {{}}\r\n"
        )
    });
    let end = std::iter::once(format!("--{BOUNDARY}--\r\n"));
    let body: String = fields.chain(files).chain(end).collect();
    body.into_bytes()
}

const FIELDS: &[(&str, &str)] = &[
    ("metadata[main_module]", "index.js"),
    ("metadata[compatibility_date]", "2026-01-01"),
    ("metadata[bindings][][type]", "secret_text"),
    ("metadata[bindings][][name]", "KEY"),
    ("metadata[bindings][][text]", "marker"),
];

fn put(platform: &Platform, token: &str, body: Vec<u8>) -> Answered {
    let headers = [("content-type", "application/javascript")];
    block_on(platform.ask(token, "PUT S", &headers, body))
}

#[test]
fn an_upload_of_the_sdk_is_sent_as_wrangler_sends_it() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    for part in ["files[]", "files", "files[index.js]"] {
        let answer = put(&platform, &token, form(FIELDS, &[(part, "index.js")]));
        assert_eq!(answer.status, 200, "{part}: {}", answer.text());
        let seen = platform.cloud.seen.borrow();
        let upload = seen.iter().rfind(|seen| seen.line.starts_with("PUT ")).unwrap();
        let content_type = upload.content_type.as_deref().unwrap();
        assert!(
            content_type.starts_with("multipart/form-data; boundary="),
            "{content_type}"
        );
        let body = String::from_utf8(upload.body.clone()).unwrap();
        assert!(body.contains("name=\"metadata\"\r\n\r\n{"), "{body}");
        assert!(
            body.contains("name=\"index.js\"; filename=\"index.js\""),
            "{body}"
        );
        assert!(body.contains(r#""text":"marker""#), "{body}");
        assert!(!body.contains("metadata["), "{body}");
    }
}

#[test]
fn a_malformed_upload_of_the_sdk_is_rejected() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let index = ("files[]", "index.js");
    let malformed = Code::UploadMalformed;
    let name = Code::ModuleNameInvalid;
    let both = [FIELDS, &[("metadata", "{\"main_module\": \"index.js\"}")]].concat();
    for (what, body, code) in [
        ("a script", b"export default {}".to_vec(), malformed),
        ("no metadata", form(&[], &[index]), malformed),
        ("two metadata", form(&both, &[index]), malformed),
        (
            "no main module",
            form(FIELDS, &[("files[]", "other.js")]),
            malformed,
        ),
        (
            "one name twice",
            form(FIELDS, &[index, ("files[index.js]", "a.js")]),
            name,
        ),
        (
            "metadata as a module",
            form(FIELDS, &[index, ("files[]", "metadata")]),
            name,
        ),
        (
            "a part as a module",
            form(FIELDS, &[index, ("files[]", "files[a.js]")]),
            name,
        ),
        (
            "a field as a module",
            form(FIELDS, &[index, ("files[]", "metadata[tags][]")]),
            name,
        ),
        (
            "another folder",
            form(FIELDS, &[index, ("files[../a.js]", "a.js")]),
            name,
        ),
    ] {
        let answer = put(&platform, &token, body);
        assert_eq!(
            answer.codes(),
            [u64::from(code.number())],
            "{what}: {}",
            answer.text()
        );
    }
    assert_eq!(platform.cloud.changes(), Vec::<String>::new());
}

#[test]
fn parts_of_a_script_are_read_without_what_belongs_to_the_deploy_api() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    for part in ["settings", "bindings", "tags", "secrets"] {
        let absent = platform.call(&token, &format!("GET S/{part}"), "");
        assert_eq!((absent.status, absent.codes()), (404, vec![10092]), "{part}");
    }
    let secret = json!([{ "type": "secret_text", "name": "KEY", "text": "marker" }]);
    let upload = Upload::of("1")
        .with("tags", json!(["team:a"]))
        .with("bindings", secret);
    platform.deploy(&token, &upload);
    let shown = json!([{ "type": "secret_text", "name": "KEY" }]);
    let settings = platform.call(&token, "GET S/settings", "");
    assert_eq!(settings.body["result"]["tags"], json!(["team:a"]));
    assert_eq!(settings.body["result"]["bindings"], shown);
    for part in ["bindings", "secrets"] {
        let list = platform.call(&token, &format!("GET S/{part}"), "");
        assert_eq!(list.body["result"], shown, "{part}");
    }
    let tags = platform.call(&token, "GET S/tags", "");
    assert_eq!(tags.body["result"], json!(["team:a"]));
}

#[test]
fn a_script_is_deleted_under_the_action_delete() {
    let platform = Platform::new();
    let alice = platform.alice("dotdo-staging");
    platform.deploy(&alice, &Upload::of("1"));
    let reader = platform.token(
        "alice",
        &[grant(&["dotdo-staging"], &["agents"], &["read", "deploy"])],
    );
    let denied = platform.call(&reader, "DELETE S", "");
    assert_eq!(denied.codes(), [u64::from(Code::PermissionDenied.number())]);
    for query in ["force=1", "forced=true", "force=true&force=true"] {
        let answer = platform.call(&alice, &format!("DELETE S?{query}"), "");
        assert_eq!(
            answer.codes(),
            [u64::from(Code::ParameterInvalid.number())],
            "{query}"
        );
    }
    platform.cloud.fail_next(Fault::Answer(400, REFUSED));
    let refused = platform.call(&alice, "DELETE S", "");
    assert_eq!(
        refused.codes(),
        [10021, u64::from(Code::UpstreamRefused.number())]
    );
    assert_eq!(platform.call(&alice, "DELETE S?force=true", "").status, 200);
    let again = platform.call(&alice, "DELETE S?force=false", "");
    assert_eq!((again.status, again.codes()), (404, vec![10092]));
    let changes = platform.cloud.changes();
    let deletions: Vec<_> = changes
        .iter()
        .filter(|line| line.starts_with("DELETE "))
        .collect();
    let path = "DELETE A/workers/dispatch/namespaces/dotdo-staging/scripts/agents";
    assert_eq!(
        deletions,
        [path, &format!("{path}?force=true"), path],
        "force is passed on"
    );
}
