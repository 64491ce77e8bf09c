//! An upload is either parsed completely or rejected with an explanation. Serialized again, for the Cloudflare API
//! and for the bundle store, a parsed upload does not change.

use deploy_api::bundles::Bundle;
use deploy_api::problem::Problem;
use deploy_api::upload::{self, BindingRef, MAX_PARTS, Upload, script_form};
use futures_executor::block_on;

/// Checks the body of an upload, whose boundary is `b`.
pub fn check(body: &[u8]) {
    match block_on(upload::read(
        Some("multipart/form-data; boundary=b"),
        body.to_vec(),
    )) {
        Ok(upload) => check_upload(&upload),
        Err(problem) => check_problem(&problem),
    }
}

fn check_upload(upload: &Upload) {
    assert!(upload.parts.len() <= MAX_PARTS);
    for part in &upload.parts {
        let is_plain = |name: &str| {
            !name.is_empty()
                && !name.starts_with('/')
                && !name.contains(['"', '\\', '\r', '\n', '\0'])
                && name.split('/').all(|segment| segment != "..")
        };
        assert!(is_plain(&part.name), "{:?}", part.name);
        assert!(
            part.file_name.as_deref().is_none_or(is_plain),
            "{:?}",
            part.file_name
        );
    }
    // A serialized upload parses to the same upload.
    let (content_type, body) = script_form(&upload.metadata, &upload.parts);
    let parsed = block_on(upload::read(Some(&content_type), body)).expect("a serialized upload parses");
    assert_eq!(parsed.parts, upload.parts);
    assert!(parsed.metadata == upload.metadata);
    // A bundle has the name of each secret but not its value, and unpacks to what was packed.
    let bundle = Bundle::of(upload, None);
    for binding in upload.metadata.bindings().filter(BindingRef::is_secret) {
        let bindings = bundle.metadata["bindings"]
            .as_array()
            .expect("the bindings are an array");
        let stored = bindings
            .iter()
            .find(|stored| stored["name"] == binding.name && stored["type"] == binding.kind)
            .expect("the bundle has the name of the secret");
        for value in ["text", "key_jwk", "key_base64"] {
            assert!(stored.get(value).is_none(), "{value}");
        }
    }
    let (digest, stored) = bundle.pack().expect("a parsed bundle serializes");
    assert_eq!(Bundle::unpack(&digest, stored), Ok(bundle));
}

fn check_problem(problem: &Problem) {
    assert!(problem.code.status() < 500, "{problem:?}");
    assert!(!problem.detail.is_empty() && !problem.fix.is_empty());
    assert!(
        !problem.detail.chars().any(char::is_control),
        "a control character, which a terminal would interpret: {:?}",
        problem.detail
    );
}
