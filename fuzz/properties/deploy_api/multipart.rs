//! An upload is read whole or refused with a sentence, and what is read is what goes upstream and into the store.

use deploy_api::bundles::Bundle;
use deploy_api::problem::Problem;
use deploy_api::upload::{self, BindingRef, MAX_PARTS, Upload, script_form};
use futures_executor::block_on;

/// Checks the body of an upload whose boundary is `b`.
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
    // Written anew and read again, it is the same upload.
    let (content_type, body) = script_form(&upload.metadata, &upload.parts);
    let again = block_on(upload::read(Some(&content_type), body)).expect("what is written can be read");
    assert_eq!(again.parts, upload.parts);
    assert!(again.metadata == upload.metadata);
    // Nothing of a secret is kept, and the rest comes back from the store.
    let bundle = Bundle::of(upload, None);
    for binding in upload.metadata.bindings().filter(BindingRef::is_secret) {
        let kept = bundle.metadata["bindings"]
            .as_array()
            .expect("bindings are a list");
        let kept = kept
            .iter()
            .find(|kept| kept["name"] == binding.name && kept["type"] == binding.kind)
            .expect("its name is kept");
        assert!(
            kept.get("text").is_none() && kept.get("key_jwk").is_none() && kept.get("key_base64").is_none()
        );
    }
    let (digest, stored) = bundle.pack().expect("what was JSON can be written");
    assert_eq!(Bundle::unpack(&digest, stored), Ok(bundle));
}

fn check_problem(problem: &Problem) {
    assert!(problem.code.status() < 500, "{problem:?}");
    assert!(!problem.detail.is_empty() && !problem.fix.is_empty());
    assert!(
        !problem.detail.chars().any(char::is_control),
        "what a terminal would obey: {:?}",
        problem.detail
    );
}
