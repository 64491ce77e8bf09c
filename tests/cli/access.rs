//! `policy` and `tokens`.

use std::fs;

use anyhow::Result;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::killed::killed;
use crate::program::{assert_contains, dotdo, dotdo_as, fails, json, succeeds};

#[end_to_end::test]
async fn the_policy_is_a_file_that_is_compared_confirmed_and_stored() -> Result<()> {
    let folder = TempDir::with_prefix("dotdo-policy-")?;
    let file = folder.path().join("policy.json");
    let path = file.display().to_string();
    let text = succeeds(&["policy", "get"]).await?;
    fs::write(&file, &text)?;
    let same = succeeds(&["policy", "diff", &path]).await?;
    // The printed document ends with a line feed, which the stored one may not have.
    assert!(
        same.contains("This is the policy") || same.contains("nobody may do more or less"),
        "{same}"
    );

    let mut policy: Value = serde_json::from_str(&text)?;
    let rule = json!({
        "name": "readers", "who": { "token": ["reader"] }, "namespaces": ["dotdo-staging"], "workers": ["readable"],
        "actions": ["read"],
    });
    policy["rules"].as_array_mut().expect("rules").push(rule);
    fs::write(&file, policy.to_string())?;
    let diff = succeeds(&["policy", "diff", &path]).await?;
    let sentence = "API tokens of reader may read readable in dotdo-staging (rule \"readers\")";
    assert_contains(&diff, &["Newly allowed:", sentence]);
    let asked = fails(2, &["policy", "apply", &path]).await?;
    assert_contains(&asked.output, &[sentence]);
    assert_contains(&asked.errors, &["--yes"]);
    let version = json(&["policy", "get"]).await?["version"]
        .as_u64()
        .expect("a version");
    // Commands that are killed before may have stored it, and only one of them.
    let moments = killed(&["policy", "apply", &path, "--yes"], "").await?;
    succeeds(&["policy", "apply", &path, "--yes"]).await?;
    let stored = json(&["policy", "get"]).await?;
    assert_eq!(
        stored["version"],
        version + 1,
        "killed after {moments:?}: {stored}"
    );
    assert_eq!(stored["document"], policy);
    // The same command again changes nothing.
    assert_contains(
        &succeeds(&["policy", "apply", &path]).await?,
        &["This is the policy"],
    );
    assert_contains(
        &succeeds(&["policy", "versions"]).await?,
        &["VERSION", "developer"],
    );
    let earlier = json(&["policy", "get", "--version", "1"]).await?;
    assert_eq!(earlier["version"], 1, "{earlier}");

    let allowed = succeeds(&[
        "policy",
        "explain",
        "read",
        "readable",
        "--env",
        "staging",
        "--subject",
        "reader",
    ])
    .await?;
    assert_contains(&allowed, &["Allowed by the rule \"readers\""]);
    let denied = fails(
        1,
        &[
            "policy",
            "explain",
            "deploy",
            "readable",
            "--env",
            "staging",
            "--subject",
            "reader",
        ],
    )
    .await?;
    assert_contains(
        &denied.output,
        &["may not deploy readable", "Rule \"readers\" allows read only."],
    );
    succeeds(&["policy", "explain", "admin"]).await?;

    fs::write(&file, "{}")?;
    let invalid = fails(1, &["policy", "apply", &path, "--yes"]).await?;
    assert_contains(&invalid.errors, &["POLICY_INVALID", "dotdo policy diff FILE"]);
    fails(2, &["policy", "apply", "/does/not/exist"]).await?;
    Ok(())
}

/// The program with a token that the program created.
async fn created(subject: &str, more: &[&str]) -> Result<(String, String)> {
    let arguments = [&["tokens", "create", subject], more].concat();
    let finished = dotdo(&arguments)?.run().await?;
    assert_eq!(finished.code, Some(0), "{}", finished.errors);
    Ok((finished.output.trim().to_owned(), finished.errors))
}

#[end_to_end::test]
async fn a_token_is_shown_once_listed_and_revoked() -> Result<()> {
    let (token, notes) = created(
        "developer",
        &["--env", "staging", "--allow", "read", "--expires", "2d"],
    )
    .await?;
    assert!(token.starts_with("dotdo_api_"), "{token}");
    let id = notes.split(' ').nth(1).expect("an id").to_owned();
    let text = dotdo_as(&token, &["whoami"])?.run().await?.output;
    assert_contains(&text, &[&id, "THE TOKEN IS LIMITED TO", "staging", "read"]);
    let denied = dotdo_as(&token, &["lock", "--all", "--env", "staging", "--why", "x"])?
        .run()
        .await?;
    assert_eq!(denied.code, Some(1), "{}", denied.errors);
    assert_contains(&denied.errors, &["PERMISSION_DENIED", "dotdo whoami"]);

    let listed = succeeds(&["tokens", "list"]).await?;
    assert_contains(&listed, &[&id, "developer"]);
    assert!(!listed.contains(&token));
    fails(2, &["tokens", "revoke", &id]).await?;
    succeeds(&["tokens", "revoke", &id, "--yes"]).await?;
    assert!(!succeeds(&["tokens", "list"]).await?.contains(&id));
    assert_contains(
        &succeeds(&["tokens", "list", "--all", "--kind", "api"]).await?,
        &[&id, "revoked"],
    );
    assert_eq!(dotdo_as(&token, &["whoami"])?.run().await?.code, Some(1));
    let unknown = fails(1, &["tokens", "revoke", "0123456789abcdef", "--yes"]).await?;
    assert_contains(&unknown.errors, &["dotdo tokens list"]);
    let too_long = fails(
        2,
        &[
            "tokens",
            "create",
            "developer",
            "--allow",
            "read",
            "--expires",
            "900d",
        ],
    )
    .await?;
    assert_contains(&too_long.errors, &["BODY_INVALID", "within a year"]);
    let (_, warning) = created("nobody-knows", &["--allow", "read"]).await?;
    assert_contains(&warning, &["warning", "nobody-knows"]);
    Ok(())
}
