use thiserror::Error;

use crate::target::Target;

/// The zone with a host for each Worker and environment: `agents--dev.apis.do` (docs/routing.md).
const SHARED_ZONE: &str = "apis.do";

/// The addresses of Workers by the built-in rules of the dispatch Worker: an origin with a `*` in place of the Worker's
/// labels, `https://*.do` for the platform and `http://*.localhost:8787` on a developer's machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerUrls {
    before: String,
    after: String,
}

/// The text is not an origin with one `*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("it is not an http or https origin with one '*' as its first label, such as https://*.do")]
pub struct InvalidWorkerUrls;

impl WorkerUrls {
    /// Reads the text of a variable.
    ///
    /// # Errors
    /// When it is not an origin with one `*`.
    pub fn parse(text: &str) -> Result<Self, InvalidWorkerUrls> {
        let (before, after) = text.split_once('*').ok_or(InvalidWorkerUrls)?;
        let is_host = after.starts_with('.')
            && after.len() > 1
            && after
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':'));
        if !matches!(before, "http://" | "https://") || !is_host {
            return Err(InvalidWorkerUrls);
        }
        Ok(Self {
            before: before.to_owned(),
            after: after.to_owned(),
        })
    }

    /// The addresses of a Worker in its environment, the one for people first. A Worker of the account has none by these rules.
    #[must_use]
    pub fn of(&self, target: &Target) -> Vec<String> {
        let labels = target.labels().into_iter();
        let by_labels = labels.map(|labels| format!("{}{labels}{}", self.before, self.after));
        // Each Worker can have its own zone, such as agents.do, but nobody registers one for a preview: it is reached in the shared zone.
        let shared = target.preview().filter(|_| *self == Self::default());
        let shared = shared
            .and_then(|preview| preview.host_label())
            .map(|label| format!("https://{label}.{SHARED_ZONE}"));
        shared.into_iter().chain(by_labels).collect()
    }

    /// The addresses of account Workers at workers.dev, with `{worker}` in place of the name, for the subdomain of the account. The local
    /// platform serves them below its own host, without a subdomain: `http://{worker}.workers.dev.localhost:8787`.
    #[must_use]
    pub fn of_account_workers(&self, subdomain: &str) -> String {
        let (host, _) = self.after.split_once(':').unwrap_or((&self.after, ""));
        if host == ".localhost" {
            format!("{}{{worker}}.workers.dev{}", self.before, self.after)
        } else {
            format!("https://{{worker}}.{subdomain}.workers.dev")
        }
    }
}

/// The platform's own hosts.
impl Default for WorkerUrls {
    fn default() -> Self {
        Self {
            before: "https://".to_owned(),
            after: ".do".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use dotdo_names::{Environment, WorkerName};

    use super::*;

    #[test]
    fn a_url_has_the_labels_of_the_environment_and_the_worker() {
        let of = |text: &str, environment: Environment| {
            let worker = WorkerName::parse("agents").unwrap();
            WorkerUrls::parse(text)
                .unwrap()
                .of(&Target::new(environment, worker))
        };
        assert_eq!(of("https://*.do", Environment::Production), ["https://agents.do"]);
        assert_eq!(
            of("https://*.do", Environment::Development),
            ["https://dev.agents.do"]
        );
        assert_eq!(
            of("http://*.localhost:8787", Environment::Staging),
            ["http://staging.agents.localhost:8787"]
        );
        let worker = WorkerName::parse("agents-pr-12").unwrap();
        let preview = Target::new(Environment::Development, worker);
        assert_eq!(
            WorkerUrls::default().of(&preview),
            ["https://agents-pr-12--dev.apis.do", "https://dev.agents-pr-12.do"]
        );
        assert_eq!(
            WorkerUrls::parse("http://*.localhost:8787").unwrap().of(&preview),
            ["http://dev.agents-pr-12.localhost:8787"]
        );
        assert_eq!(WorkerUrls::default(), WorkerUrls::parse("https://*.do").unwrap());
    }

    #[test]
    fn account_workers_have_addresses_at_workers_dev_and_on_the_local_platform_below_its_host() {
        for (text, expected) in [
            ("https://*.do", "https://{worker}.team.workers.dev"),
            ("https://*.notlocalhost", "https://{worker}.team.workers.dev"),
            (
                "http://*.localhost:8787",
                "http://{worker}.workers.dev.localhost:8787",
            ),
        ] {
            assert_eq!(
                WorkerUrls::parse(text).unwrap().of_account_workers("team"),
                expected
            );
        }
    }

    #[test]
    fn what_is_no_origin_is_rejected() {
        for text in [
            "",
            "*",
            "https://do",
            "https://*",
            "https://*.",
            "https://*.do/path",
            "https://*.*.do",
            "ftp://*.do",
            "https://user@*.do",
        ] {
            assert_eq!(WorkerUrls::parse(text), Err(InvalidWorkerUrls), "{text}");
        }
    }
}
