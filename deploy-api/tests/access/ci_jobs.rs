//! The tokens of GitLab CI and Buildkite: their claims, and the rules about them.

use deploy_api::identity::oidc::{KeySet, Presented, verify};
use deploy_api::identity::{Identity, OidcRejection, Provider};
use deploy_api::policy::Policy;
use serde_json::{Value, json};

use crate::support::issuer::{Key, public, token};
use crate::support::time::at;

fn with_times(mut claims: Value) -> Value {
    let now = at(0).as_second();
    for (name, value) in [("iat", now), ("nbf", now), ("exp", now + 300)] {
        claims[name] = json!(value);
    }
    claims["aud"] = json!("dotdo-deploy");
    claims["jti"] = json!("token-1");
    claims
}

/// The claims of <https://docs.gitlab.com/ci/secrets/id_token_authentication/#token-payload>.
fn gitlab() -> Value {
    with_times(json!({
        "iss": "https://gitlab.com", "sub": "project_path:acme/agents:ref_type:branch:ref:main",
        "namespace_id": "72", "namespace_path": "acme", "project_id": "20", "project_path": "acme/agents",
        "user_id": "1", "user_login": "sample-user", "user_email": "sample-user@example.com",
        "user_identities": [{"provider": "github", "extern_uid": "2435223452345"}],
        "pipeline_id": "574", "pipeline_source": "push", "job_id": "302", "ref": "main", "ref_type": "branch",
        "ref_path": "refs/heads/main", "ref_protected": "true", "groups_direct": ["acme"],
        "environment": "production/eu", "environment_protected": "true", "deployment_tier": "production",
        "runner_id": 1, "runner_environment": "self-hosted", "sha": "714a629c0b401fdce83e847fc9589983fc6f46bc",
        "project_visibility": "private", "ci_config_sha": "714a629c0b401fdce83e847fc9589983fc6f46bc",
    }))
}

/// The claims of a token of Buildkite with `--claim organization_id`.
fn buildkite() -> Value {
    with_times(json!({
        "iss": "https://agent.buildkite.com", "sub": "organization:acme:pipeline:agents:ref:refs/heads/main:commit:b5ff:step:",
        "organization_id": "0184990a-4777-4d55-a16c-0b5a1a2b3c4d", "organization_slug": "acme", "pipeline_slug": "agents",
        "build_number": 5, "build_branch": "main", "build_tag": null,
        "build_commit": "b5ffe3aeea51cec6c41aef16e45ee6bce47d8810", "step_key": null, "build_source": "ui",
        "job_id": "01945ecf-80f0-41e8-9b83-a2970a9305a1", "agent_id": "01945ecf-8bcf-40a6-9d70-a765db9a0928",
        "runner_environment": "buildkite-hosted",
    }))
}

fn proven(provider: Provider, claims: &Value) -> Result<Identity, OidcRejection> {
    let keys = json!({ "keys": [public(Key::Issuers, "key-1")] });
    let keys = KeySet::parse(keys.to_string().as_bytes()).unwrap();
    let presented = Presented::parse(&token(claims)).unwrap();
    let key = keys.get("key-1").unwrap();
    verify(&presented, key, provider, "dotdo-deploy", at(1)).map(|proven| proven.identity)
}

fn policy(who: &Value) -> Policy {
    let document = json!({ "version": 1, "rules": [{
        "name": "agents", "who": who, "namespaces": ["dotdo-production"], "workers": ["agents"], "actions": ["deploy"]
    }] });
    Policy::load(&document.to_string()).unwrap()
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

/// The lines that explain why a policy with this rule gives the job no token; empty if it gives one.
fn reasons(provider: Provider, claims: &Value, who: &Value) -> Vec<String> {
    let identity = proven(provider, claims).unwrap();
    policy(who)
        .bind(&identity)
        .err()
        .map(|explanation| explanation.lines())
        .unwrap_or_default()
}

#[test]
fn a_job_of_gitlab_is_matched_by_its_claims() {
    let claims = json!({
        "project_id": "20", "namespace_id": "72", "project_path": "Acme/Agents", "ref": "refs/heads/main",
        "ref_protected": "true", "environment": "production/eu", "environment_protected": "true"
    });
    let who = json!({ "gitlab": claims });
    assert_eq!(reasons(Provider::GitLab, &gitlab(), &who), [""; 0]);
    for (claim, value, reason) in [
        (
            "ref_path",
            "refs/heads/x",
            "Rule \"agents\" expects ref refs/heads/main; the run has refs/heads/x.",
        ),
        (
            "ref_protected",
            "false",
            "Rule \"agents\" expects ref_protected true; the run has false.",
        ),
        // GitLab has environments whose names differ only in case.
        (
            "environment",
            "Production/eu",
            "Rule \"agents\" expects environment production/eu; the run has Production/eu, which differs in case.",
        ),
        (
            "namespace_id",
            "73",
            "Rule \"agents\" expects namespace_id 72; the run has 73.",
        ),
        (
            "iss",
            "https://gitlab.example",
            "Rule \"agents\" expects issuer https://gitlab.com; the run has https://gitlab.example.",
        ),
    ] {
        let lines = reasons(Provider::GitLab, &with(gitlab(), claim, json!(value)), &who);
        assert!(lines.iter().any(|line| line == reason), "{lines:?}");
        assert!(lines[0].starts_with("acme/agents at refs/heads/"), "{lines:?}");
        assert!(
            lines[0].ends_with("(job 302) may not get a deploy token."),
            "{lines:?}"
        );
    }
    let stranger = json!({ "gitlab": with(claims, "project_id", json!("21")) });
    let named = with(gitlab(), "project_path", json!("evil/agents"));
    assert_eq!(
        reasons(Provider::GitLab, &named, &stranger)[1..],
        [
            "The policy has no rule for evil/agents.",
            "A rule for it must have project_id \"20\" and namespace_id \"72\"."
        ]
    );
}

#[test]
fn a_job_of_buildkite_is_matched_by_its_claims() {
    let organization = "0184990a-4777-4d55-a16c-0b5a1a2b3c4d";
    let who = json!({ "buildkite": {
        "organization_id": organization, "pipeline_slug": "agents", "ref": ["refs/heads/main", "refs/tags/v*"]
    } });
    assert_eq!(reasons(Provider::Buildkite, &buildkite(), &who), [""; 0]);
    let tagged = with(buildkite(), "build_tag", json!("v1.2"));
    assert_eq!(reasons(Provider::Buildkite, &tagged, &who), [""; 0]);
    // A branch cannot have the name of a tag's ref.
    let branch = with(buildkite(), "build_branch", json!("refs/tags/v1"));
    assert_eq!(
        reasons(Provider::Buildkite, &branch, &who)[1],
        "Rule \"agents\" expects ref refs/heads/main or refs/tags/v*; the run has refs/heads/refs/tags/v1."
    );
    // Another organization with a pipeline of this name learns nothing about the rule.
    let stranger = with(buildkite(), "organization_id", json!("other"));
    assert_eq!(
        reasons(Provider::Buildkite, &stranger, &who),
        [
            "acme/agents at refs/heads/main (build 5) may not get a deploy token.",
            "The policy has no rule for acme/agents.",
            "A rule for it must have organization_id \"other\" and pipeline_slug \"agents\"."
        ]
    );
    let mut without = buildkite();
    without.as_object_mut().unwrap().remove("organization_id");
    assert_eq!(
        reasons(Provider::Buildkite, &without, &who)[2],
        "A rule for a job must have its organization_id and its pipeline_slug."
    );
}

#[test]
fn a_rule_for_one_service_does_not_match_jobs_of_another() {
    let github = json!({ "github": {
        "issuer": "https://gitlab.com", "repository_id": "20", "repository_owner_id": "72", "ref": "refs/heads/main"
    } });
    assert_eq!(
        reasons(Provider::GitLab, &gitlab(), &github)[1],
        "The policy has no rule for acme/agents."
    );
}

#[test]
fn claims_of_another_service_are_rejected() {
    for (provider, claims) in [
        (Provider::GitHub, gitlab()),
        (Provider::GitHub, buildkite()),
        (Provider::GitLab, buildkite()),
        (Provider::Buildkite, gitlab()),
        (Provider::GitLab, with(gitlab(), "project_id", json!("20x"))),
        (Provider::GitLab, with(gitlab(), "namespace_id", json!(""))),
        (Provider::GitLab, with(gitlab(), "user_id", json!(1))),
        (
            Provider::Buildkite,
            with(buildkite(), "build_branch", Value::Null),
        ),
    ] {
        assert_eq!(proven(provider, &claims), Err(OidcRejection::Claims), "{claims}");
    }
}

#[test]
fn a_rule_without_the_required_claims_is_invalid() {
    for (who, missing) in [
        (
            json!({ "gitlab": { "ref": "refs/heads/main" } }),
            ["project_id", "namespace_id"],
        ),
        (
            json!({ "buildkite": { "ref": "refs/heads/main" } }),
            ["organization_id", "pipeline_slug"],
        ),
    ] {
        let document = json!({ "version": 1, "rules": [{
            "name": "agents", "who": who, "namespaces": ["dotdo-production"], "workers": ["agents"], "actions": ["deploy"]
        }] });
        let errors = Policy::load(&document.to_string()).unwrap_err().to_string();
        for claim in missing {
            assert!(
                errors.contains(&format!("\"{claim}\" is missing; add it (see ")),
                "{errors}"
            );
        }
    }
    // Jobs of Buildkite have no environment, so a warning that it is missing would never end.
    let who = json!({ "buildkite": { "organization_id": "o", "pipeline_slug": "agents", "ref": "refs/heads/main" } });
    assert_eq!(policy(&who).warnings(), []);
}
