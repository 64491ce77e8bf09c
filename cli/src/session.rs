//! What every command has: the output, and the client of the deploy API.

use deploy_api::v1::types::Identity;

use crate::client::Client;
use crate::credentials;
use crate::failure::Failure;
use crate::output::Output;

/// The context of a command: its output and the client that it uses.
#[derive(Clone, Debug)]
pub struct Session {
    /// Where it writes its result.
    pub output: Output,
}

impl Session {
    /// The client with the credentials of this user.
    ///
    /// # Errors
    /// If there are none.
    #[expect(clippy::unused_self, reason = "the credentials are those of this process")]
    pub fn client(&self) -> Result<Client, Failure> {
        Ok(Client::new(&credentials::find()?))
    }
}

/// The first digits of a commit that are shown.
const COMMIT: usize = 8;

/// Who did something, in few words: a subject, or the repository and the run.
#[must_use]
pub fn who(identity: &Identity) -> String {
    match identity {
        Identity::GithubRun(run) => format!("{} run {}", run.repository, run.run_id),
        Identity::GitlabJob(job) => format!("{} job {}", job.project_path, job.job_id),
        Identity::BuildkiteJob(job) => format!("{} build {}", job.pipeline(), job.build_number),
        Identity::ApiToken { subject } => subject.to_string(),
        Identity::BootstrapAdministrator => "bootstrap".to_owned(),
        Identity::Platform => "the platform".to_owned(),
    }
}

/// The commit of a deployment; empty if it was not made by a run.
#[must_use]
pub fn commit(identity: &Identity) -> String {
    match identity {
        Identity::GithubRun(run) => shortened(&run.sha),
        Identity::GitlabJob(job) => shortened(&job.sha),
        Identity::BuildkiteJob(job) => shortened(&job.sha),
        Identity::ApiToken { .. } | Identity::BootstrapAdministrator | Identity::Platform => String::new(),
    }
}

fn shortened(commit: &str) -> String {
    commit.chars().take(COMMIT).collect()
}
