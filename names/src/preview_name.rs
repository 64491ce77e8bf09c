use std::fmt;

use thiserror::Error;

use crate::{MAX_WORKER_NAME, WorkerName};

/// What separates the previewed Worker from the number of a pull request.
const PULL_REQUEST: &str = "-pr-";

/// What separates the previewed Worker from the digits of a deployment.
const DEPLOYMENT: &str = "-at-";

/// How many digits of a deployment's id the name of its preview has: the last group of the UUID, which is random.
const DIGITS: usize = 12;

/// The name of a preview: a Worker in development that is deleted when it expires.
///
/// - `agents-pr-12` previews pull request 12 of the Worker `agents`. The number has no leading zero, and fits 32 bits.
/// - `agents-at-9f1c2d3e4b5a` previews a deployment of the Worker `agents`, by the last twelve digits of its id.
///
/// ```
/// use dotdo_names::{PreviewName, WorkerName};
///
/// let preview = |name| PreviewName::of(&WorkerName::parse(name).unwrap());
/// assert_eq!(preview("agents-pr-12").unwrap().pull_request(), Some(12));
/// assert!(preview("agents-pr-next").is_none(), "an ordinary Worker");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PreviewName {
    name: WorkerName,
    previewed: WorkerName,
    pull_request: Option<u32>,
}

/// What follows the name of a preview in the label of its host: `agents-pr-12--dev.apis.do`.
const HOST: &str = "--dev";

/// The name of a Worker is too long for the name of a preview.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "the name {0} is too long for a preview: the label {0}-at-…--dev of its host has {more} characters more, and may have \
     {MAX_WORKER_NAME}",
    more = DEPLOYMENT.len() + DIGITS + HOST.len()
)]
pub struct TooLongForPreview(WorkerName);

impl PreviewName {
    /// The preview that a Worker in development is; `None` for an ordinary Worker.
    #[must_use]
    pub fn of(name: &WorkerName) -> Option<Self> {
        let preview = |previewed: &str, pull_request| {
            Some(Self {
                name: name.clone(),
                previewed: WorkerName::parse(previewed).ok()?,
                pull_request,
            })
        };
        let text = name.as_str();
        if let Some((previewed, number)) = text.rsplit_once(PULL_REQUEST)
            && let Some(number) = pull_request_number(number)
        {
            return preview(previewed, Some(number));
        }
        let (previewed, digits) = text.rsplit_once(DEPLOYMENT)?;
        if are_digits(digits) {
            preview(previewed, None)
        } else {
            None
        }
    }

    /// The name of the preview of a deployment of a Worker. `id` is the id of the deployment, a UUID.
    ///
    /// # Errors
    /// If the name of the Worker is too long.
    pub fn of_deployment(previewed: &WorkerName, id: &str) -> Result<Self, TooLongForPreview> {
        let digits = id.get(id.len().saturating_sub(DIGITS)..).unwrap_or_default();
        let name = WorkerName::parse(&format!("{previewed}{DEPLOYMENT}{digits}"));
        name.ok()
            .and_then(|name| Self::of(&name))
            .filter(|preview| preview.host_label().is_some())
            .ok_or_else(|| TooLongForPreview(previewed.clone()))
    }

    /// The name of the preview itself.
    #[must_use]
    pub const fn name(&self) -> &WorkerName {
        &self.name
    }

    /// The label of its host in the zone that all Workers share, `agents-pr-12--dev`; `None` if it would be too long for a label.
    #[must_use]
    pub fn host_label(&self) -> Option<String> {
        let label = format!("{}{HOST}", self.name);
        (label.len() <= MAX_WORKER_NAME).then_some(label)
    }

    /// The name of the Worker that it previews.
    #[must_use]
    pub const fn previewed(&self) -> &WorkerName {
        &self.previewed
    }

    /// The number of the pull request that it previews; `None` for the preview of a deployment.
    #[must_use]
    pub const fn pull_request(&self) -> Option<u32> {
        self.pull_request
    }
}

impl fmt::Display for PreviewName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)
    }
}

fn pull_request_number(text: &str) -> Option<u32> {
    let number: u32 = text.parse().ok()?;
    // A number that is written in another way, such as `+1` or `01`, is another text.
    (number > 0 && number.to_string() == text).then_some(number)
}

fn are_digits(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Environment;

    fn worker(text: &str) -> WorkerName {
        WorkerName::parse(text).unwrap()
    }

    #[test]
    fn the_names_of_previews_are_recognized() {
        let largest = format!("agents-pr-{}", u32::MAX);
        for (name, previewed, pull_request) in [
            ("agents-pr-12", "agents", Some(12)),
            (largest.as_str(), "agents", Some(u32::MAX)),
            ("agents-pr-next-pr-7", "agents-pr-next", Some(7)),
            ("agents-at-9f1c2d3e4b5a", "agents", None),
            ("agents-pr-12-at-000000000000", "agents-pr-12", None),
        ] {
            let preview = PreviewName::of(&worker(name)).unwrap();
            assert_eq!(preview.name().as_str(), name);
            assert_eq!(preview.previewed().as_str(), previewed, "{name}");
            assert_eq!(preview.pull_request(), pull_request, "{name}");
        }
    }

    #[test]
    fn other_workers_are_not_previews() {
        for name in [
            "agents",
            "agents-pr",
            "pr-12",
            "agents-pr-0",
            "agents-pr-012",
            "agents-pr-12a",
            "agents-pr-4294967296",
            "agents-pr-12-b",
            "agentspr-12",
            "agents-at-9f1c2d3e4b5",
            "agents-at-9f1c2d3e4b5a0",
            "agents-at-9f1c2d3e4b5g",
            // No Worker can have the name of an environment, so this cannot be a preview of it.
            "staging-pr-12",
        ] {
            assert_eq!(PreviewName::of(&worker(name)), None, "{name}");
        }
    }

    #[test]
    fn the_preview_of_a_deployment_has_the_last_digits_of_its_id() {
        let id = "0199f000-0000-7000-8000-9f1c2d3e4b5a";
        let of = |name: &str| PreviewName::of_deployment(&worker(name), id);
        assert_eq!(of("agents").unwrap().to_string(), "agents-at-9f1c2d3e4b5a");
        let longest = "a".repeat(42);
        let preview = of(&longest).unwrap();
        assert_eq!(preview.previewed().as_str(), longest);
        assert_eq!(preview.host_label().unwrap().len(), 63);
        let problem = of(&"a".repeat(43)).unwrap_err();
        assert!(problem.to_string().contains("21 characters more"), "{problem}");
    }

    #[test]
    fn the_label_of_the_host_has_the_label_of_development() {
        let label = Environment::Development.host_labels()[0];
        let preview = PreviewName::of(&worker("agents-pr-12")).unwrap();
        assert_eq!(preview.host_label(), Some(format!("agents-pr-12--{label}")));
        let long = format!("{}-pr-1", "a".repeat(54));
        assert_eq!(PreviewName::of(&worker(&long)).unwrap().host_label(), None);
    }
}
