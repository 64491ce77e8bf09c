use deploy_api::identity::{GITHUB_ISSUER, GitHubRun, Identity, Subject};
use deploy_api::policy::{Caller, Grant, GrantDocument, Scope};
use deploy_api::target::Target;
use dotdo_names::{Environment, WorkerName};

/// A run of drivly/agents on the main branch with the environment `production`.
pub fn run() -> GitHubRun {
    let text = str::to_owned;
    GitHubRun {
        issuer: text(GITHUB_ISSUER),
        repository: text("drivly/agents"),
        repository_id: text("1001"),
        repository_owner: text("drivly"),
        repository_owner_id: text("2002"),
        repository_visibility: Some(text("private")),
        git_ref: text("refs/heads/main"),
        ref_type: Some(text("branch")),
        ref_protected: Some(text("true")),
        sha: text("0f9f3a6c3b4a1d2e5f60718293a4b5c6d7e8f901"),
        event_name: text("push"),
        environment: Some(text("production")),
        actor: text("octocat"),
        actor_id: text("3003"),
        run_id: text("42"),
        run_attempt: text("1"),
        workflow_ref: text("drivly/agents/.github/workflows/deploy.yml@refs/heads/main"),
        workflow_sha: None,
        job_workflow_ref: None,
        job_workflow_sha: None,
        runner_environment: Some(text("github-hosted")),
    }
}

/// A caller with this run as its identity, limited only by the policy.
pub fn caller(run: GitHubRun) -> Caller {
    Caller {
        identity: Identity::GithubRun(Box::new(run)),
        token: None,
        scope: Scope::Policy,
    }
}

/// A caller with an API token of this subject, limited only by the policy.
pub fn person(name: &str) -> Caller {
    Caller {
        identity: Identity::ApiToken {
            subject: subject(name),
        },
        token: None,
        scope: Scope::Policy,
    }
}

pub fn subject(name: &str) -> Subject {
    Subject::parse(name).unwrap()
}

pub fn target(environment: Environment, worker: &str) -> Target {
    Target {
        namespace: environment.into(),
        worker: WorkerName::parse(worker).unwrap(),
    }
}

pub fn grant(namespaces: &[&str], workers: &[&str], actions: &[&str]) -> Grant {
    let document: GrantDocument = serde_json::from_value(serde_json::json!({
        "namespaces": namespaces, "workers": workers, "actions": actions
    }))
    .unwrap();
    Grant::load(&document).unwrap()
}
