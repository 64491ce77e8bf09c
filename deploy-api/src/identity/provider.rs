use serde::Deserialize;

/// The issuer of GitHub Actions on github.com. A GitHub Enterprise Server has a different issuer.
/// <https://docs.github.com/en/actions/reference/security/oidc>
pub const GITHUB_ISSUER: &str = "https://token.actions.githubusercontent.com";

/// A CI service whose OIDC tokens are exchanged for deploy tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// GitHub Actions, on github.com or on a GitHub Enterprise Server.
    GitHub,
    /// GitLab CI, on gitlab.com or on a server of your own.
    GitLab,
    /// Buildkite.
    Buildkite,
}

impl Provider {
    /// Every provider.
    pub const ALL: [Self; 3] = [Self::GitHub, Self::GitLab, Self::Buildkite];

    /// The issuer of the hosted service.
    /// <https://docs.gitlab.com/ci/secrets/id_token_authentication/>, <https://buildkite.com/docs/pipelines/security/oidc>
    #[must_use]
    pub const fn issuer(self) -> &'static str {
        match self {
            Self::GitHub => GITHUB_ISSUER,
            Self::GitLab => "https://gitlab.com",
            Self::Buildkite => "https://agent.buildkite.com",
        }
    }

    /// What the service runs, in the plural, to begin a phrase: `GitHub runs`.
    #[must_use]
    pub const fn jobs(self) -> &'static str {
        match self {
            Self::GitHub => "GitHub runs",
            Self::GitLab => "GitLab jobs",
            Self::Buildkite => "Buildkite jobs",
        }
    }

    /// What the service runs: `run`.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::GitHub => "run",
            Self::GitLab | Self::Buildkite => "job",
        }
    }

    /// What the service runs, to begin a sentence: `A GitHub run`.
    #[must_use]
    pub const fn job(self) -> &'static str {
        match self {
            Self::GitHub => "A GitHub run",
            Self::GitLab => "A GitLab job",
            Self::Buildkite => "A Buildkite job",
        }
    }
}
