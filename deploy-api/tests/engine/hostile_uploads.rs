use deploy_api::code::Code;
use deploy_api::upload::MAX_UPLOAD;
use futures_executor::block_on;
use serde_json::json;

use super::platform::{Answered, Platform};
use super::wrangler_upload::Upload;

fn put(platform: &Platform, content_type: &str, body: Vec<u8>) -> Answered {
    let token = platform.alice("dotdo-staging");
    block_on(platform.ask(
        &token,
        "PUT S?excludeScript=true",
        &[("content-type", content_type)],
        body,
    ))
}

fn part(name: &str, content: &str) -> String {
    format!(
        "--b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\n\r\n{content}\r\n"
    )
}

const METADATA: &str = r#"{"main_module":"index.js"}"#;

#[test]
fn hostile_forms_are_rejected_recorded_and_not_forwarded() {
    let metadata = part("metadata", METADATA);
    let module = part("index.js", "1");
    let many: String = (0..10_000)
        .map(|index| part(&format!("m{index}.js"), ""))
        .collect();
    let long_name = part(&"x".repeat(600), "1");
    for (what, body, code) in [
        ("no metadata", format!("{module}--b--\r\n"), Code::UploadMalformed),
        (
            "two metadata",
            format!("{metadata}{metadata}{module}--b--\r\n"),
            Code::UploadMalformed,
        ),
        (
            "a module outside",
            format!("{metadata}{module}{}--b--\r\n", part("../x", "1")),
            Code::ModuleNameInvalid,
        ),
        (
            "an absolute module",
            format!("{metadata}{module}{}--b--\r\n", part("/x", "1")),
            Code::ModuleNameInvalid,
        ),
        (
            "a module twice",
            format!("{metadata}{module}{module}--b--\r\n"),
            Code::ModuleNameInvalid,
        ),
        (
            "a long name",
            format!("{metadata}{module}{long_name}--b--\r\n"),
            Code::ModuleNameInvalid,
        ),
        (
            "10,000 parts",
            format!("{metadata}{module}{many}--b--\r\n"),
            Code::UploadTooManyParts,
        ),
        (
            "a part that never ends",
            format!("{metadata}{}", module.replace("\r\n--b", "")),
            Code::UploadMalformed,
        ),
        (
            "a head that never ends",
            format!("{metadata}--b\r\nContent-Disposition: form-da"),
            Code::UploadMalformed,
        ),
        ("nothing", String::new(), Code::UploadMalformed),
        ("no form", "hello".to_owned(), Code::UploadMalformed),
        (
            "no main module",
            format!("{metadata}--b--\r\n"),
            Code::UploadMalformed,
        ),
        (
            "metadata that is no JSON",
            format!("{}{module}--b--\r\n", part("metadata", "{")),
            Code::UploadMalformed,
        ),
        (
            "a part without a name",
            format!("{metadata}--b\r\nX: y\r\n\r\n1\r\n--b--\r\n"),
            Code::UploadMalformed,
        ),
    ] {
        let platform = Platform::new();
        let answer = put(&platform, "multipart/form-data; boundary=b", body.into_bytes());
        assert_eq!(
            answer.codes(),
            [u64::from(code.number())],
            "{what}: {}",
            answer.text()
        );
        assert!(answer.status < 500, "{what}: wrangler would try again");
        assert!(platform.cloud.seen.borrow().is_empty(), "{what}");
        assert_eq!(platform.history(), ["deploy denied"], "{what}");
    }
}

#[test]
fn another_content_type_is_refused() {
    for content_type in [
        "application/json",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "",
    ] {
        let platform = Platform::new();
        let answer = put(&platform, content_type, Upload::of("1").form().1);
        assert_eq!(
            answer.codes(),
            [u64::from(Code::UploadMalformed.number())],
            "{content_type}"
        );
    }
}

#[test]
fn an_upload_above_the_platform_limit_returns_413() {
    let platform = Platform::new();
    let answer = put(
        &platform,
        "multipart/form-data; boundary=b",
        vec![b'a'; MAX_UPLOAD + 1],
    );
    assert_eq!(answer.status, 413);
    assert!(answer.text().contains("100 MB"), "{}", answer.text());
    let mut state = 1_u64;
    let noise: Vec<u8> = (0..11 * 1024 * 1024)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state.to_be_bytes()[0]
        })
        .collect();
    let mut upload = Upload::of("1");
    upload.modules.push((
        "noise.bin".to_owned(),
        "application/octet-stream".to_owned(),
        noise,
    ));
    let token = platform.alice("dotdo-staging");
    let answer = platform.deploy(&token, &upload);
    assert_eq!(answer.status, 413);
    assert!(answer.text().contains("compressed"), "{}", answer.text());
    assert!(platform.cloud.changes().is_empty());
}

#[test]
fn modules_with_any_content_are_uploaded_unchanged() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let mut upload = Upload::of("1");
    let bytes: Vec<u8> = (0..=255).chain(*b"\r\n--x--\r\n").collect();
    upload.modules.push((
        "lib/data.wasm".to_owned(),
        "application/wasm".to_owned(),
        bytes.clone(),
    ));
    upload.metadata["note"] = json!("\r\n------formdata-undici-01--\r\n");
    assert_eq!(platform.deploy(&token, &upload).status, 200);
    let scripts = platform.cloud.scripts.borrow();
    assert_eq!(
        scripts.get("dotdo-staging/agents").unwrap().modules["lib/data.wasm"],
        bytes
    );
}
