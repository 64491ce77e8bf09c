//! The file of a plan: JSON with comments, which people edit.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;

use deploy_api::account::AccountWorkerName;
use deploy_api::v1::types::{AccountHost, Unreadable};
use dotdo_names::{ACCOUNT_ID, Environment, WorkerName};
use serde::{Deserialize, Serialize};

use super::need::{Need, Verdict};
use crate::failure::Failure;
use crate::replaced_file::{Access, replace};

/// The version of the format.
const VERSION: u32 = 1;

/// The most characters of a text that an error shows.
const SHOWN: usize = 80;

/// The comment at the beginning of the file.
const HEADER: &str = "\
// A plan of `dotdo migrate`. docs/migration.md describes each member.
// Edit \"by\" (\"import\", \"wrangler\" or \"none\"), \"to\", \"environment\" and \"address\"; the rest says what was found.
";

/// A plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanFile {
    /// The version of the format: 1.
    pub version: u32,
    /// The id of the account.
    pub account: String,
    /// The account Workers, by name.
    pub workers: Vec<PlannedWorker>,
    /// What the Cloudflare token of the deploy API may not read of the account.
    #[serde(default)]
    pub unknown: Vec<Unreadable>,
}

/// An account Worker of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedWorker {
    /// Its name in the account.
    pub from: String,
    /// Its name in the namespace.
    pub to: String,
    /// `production`, `staging` or `development`.
    pub environment: String,
    /// How it moves.
    pub by: Means,
    /// The verdict.
    pub verdict: Verdict,
    /// What it needs before or while it moves.
    #[serde(default)]
    pub needs: Vec<Need>,
    /// Why it stays in the account; empty if it does not.
    #[serde(default)]
    pub stays: Vec<String>,
    /// What else matters.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The names of its secrets.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// Cloudflare's digest of the script when the plan was made.
    pub etag: Option<String>,
    /// The address for `verify`; null if it has none.
    pub address: Option<String>,
    /// The routes and custom domains that lead to it.
    #[serde(default)]
    pub hosts: Vec<AccountHost>,
    /// The account Workers with a service binding to it.
    #[serde(default)]
    pub called_by: Vec<String>,
}

/// How a Worker moves into a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// `run` imports it.
    Import,
    /// wrangler deploys it from its repository.
    Wrangler,
    /// It stays in the account.
    None,
}

impl PlanFile {
    /// A plan with these Workers.
    pub fn new(workers: Vec<PlannedWorker>, unknown: Vec<Unreadable>) -> Self {
        Self {
            version: VERSION,
            account: ACCOUNT_ID.to_owned(),
            workers,
            unknown,
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, is not a plan of this account, or has two Workers for one target.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let invalid = |error: String| {
            Failure::usage(
                format!("{} is not a plan: {error}", path.display()),
                "Correct the file, or make a new one: `dotdo migrate plan --write FILE`.",
            )
        };
        let value = wrangler_config::read(path).map_err(|error| invalid(format!("{error:#}")))?;
        let plan: Self = serde_json::from_value(value).map_err(|error| invalid(error.to_string()))?;
        plan.check().map_err(invalid)?;
        Ok(plan)
    }

    fn check(&self) -> Result<(), String> {
        if self.version != VERSION {
            return Err(format!(
                "its version is {}, and this program reads {VERSION}",
                self.version
            ));
        }
        if self.account != ACCOUNT_ID {
            return Err(format!(
                "it is about the account {}, and this clone has {ACCOUNT_ID}",
                self.account
            ));
        }
        let mut names = BTreeSet::new();
        let mut targets: BTreeMap<(&str, &str), &str> = BTreeMap::new();
        for worker in &self.workers {
            let from = worker.from.as_str();
            AccountWorkerName::parse(from)
                .map_err(|error| format!("\"from\" is {}: {error}", quoted(from)))?;
            if !names.insert(from) {
                return Err(format!(
                    "it has {from} twice: an account Worker moves to one place"
                ));
            }
            if let Some(host) = worker.hosts.iter().find(|host| !is_id(&host.zone_id)) {
                return Err(format!(
                    "\"zone_id\" of {from} is {}, and must be 32 hex digits",
                    quoted(&host.zone_id)
                ));
            }
            if worker.by == Means::None {
                continue;
            }
            worker.target()?;
            let target = (worker.environment.as_str(), worker.to.as_str());
            if let Some(other) = targets.insert(target, from) {
                return Err(format!(
                    "{from} and {other} both become {} in {}: give one of them another \"to\"",
                    worker.to, worker.environment
                ));
            }
        }
        Ok(())
    }

    /// Writes the file: either the old content stays, or the new one is complete.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Failure> {
        let failed = |error: &dyn std::fmt::Display| {
            Failure::usage(
                format!("{} cannot be written: {error}", path.display()),
                "Name another file.",
            )
        };
        let text = serde_json::to_string_pretty(self).map_err(|error| failed(&error))?;
        replace(path, Access::Usual, |file| {
            file.write_all(HEADER.as_bytes())?;
            file.write_all(text.as_bytes())?;
            file.write_all(b"\n")
        })
        .map_err(|error| failed(&error))
    }

    /// The Workers that move, all or those with these names in the account.
    ///
    /// # Errors
    /// If the plan has no Worker of such a name.
    pub fn moving(&self, names: &[String]) -> Result<Vec<&PlannedWorker>, Failure> {
        if let Some(unknown) = names
            .iter()
            .find(|name| self.workers.iter().all(|worker| worker.from != **name))
        {
            return Err(Failure::usage(
                format!("the plan has no account Worker {unknown}"),
                "Write the name that it has in the account.",
            ));
        }
        let is_chosen = |worker: &&PlannedWorker| names.is_empty() || names.contains(&worker.from);
        let moving = self.workers.iter().filter(|worker| worker.by != Means::None);
        Ok(moving.filter(is_chosen).collect())
    }
}

impl PlannedWorker {
    /// The environment and the name.
    ///
    /// # Errors
    /// If one of them is not valid.
    pub fn target(&self) -> Result<(Environment, WorkerName), String> {
        let environment = Environment::from_name(&self.environment).ok_or_else(|| {
            format!(
                "the environment of {} is {}, and must be production, staging or development",
                self.from,
                quoted(&self.environment)
            )
        })?;
        let name = WorkerName::parse(&self.to)
            .map_err(|error| format!("\"to\" of {} is {}: {error}", self.from, quoted(&self.to)))?;
        Ok((environment, name))
    }

    /// The target of a Worker of a plan that was read, which checked it.
    ///
    /// # Errors
    /// If it is not valid.
    pub fn checked_target(&self) -> Result<(Environment, WorkerName), Failure> {
        self.target()
            .map_err(|error| Failure::usage(error, "Correct the plan."))
    }
}

/// Whether a text is an id of Cloudflare: it becomes a part of a path.
fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A text of the file as an error shows it.
fn quoted(text: &str) -> String {
    if text.chars().count() > SHOWN {
        let begin: String = text.chars().take(SHOWN).collect();
        return format!("{begin:?}…");
    }
    format!("{text:?}")
}

#[cfg(test)]
pub mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    pub fn planned(from: &str, to: &str) -> PlannedWorker {
        PlannedWorker {
            from: from.to_owned(),
            to: to.to_owned(),
            environment: "staging".to_owned(),
            by: Means::Import,
            verdict: Verdict::Ready,
            needs: Vec::new(),
            stays: Vec::new(),
            notes: Vec::new(),
            secrets: Vec::new(),
            etag: None,
            address: None,
            hosts: Vec::new(),
            called_by: Vec::new(),
        }
    }

    #[test]
    fn a_plan_is_read_as_it_was_written_and_has_comments() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("plan.jsonc");
        let plan = PlanFile::new(
            vec![planned("api-staging", "api"), planned("shop", "shop")],
            Vec::new(),
        );
        plan.write(&path).unwrap();
        plan.write(&path).unwrap();
        assert_eq!(PlanFile::read(&path).unwrap(), plan);
        assert!(fs::read_to_string(&path).unwrap().starts_with("// A plan"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(plan.moving(&["shop".to_owned()]).unwrap().len(), 1);
        assert!(plan.moving(&["shpo".to_owned()]).is_err());
        let missing = folder.path().join("none/plan.jsonc");
        assert!(plan.write(&missing).is_err());
    }

    #[test]
    fn mistakes_of_an_edit_are_named() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("plan.jsonc");
        let text = |plan: &PlanFile| {
            plan.write(&path).unwrap();
            PlanFile::read(&path).unwrap_err().text()
        };
        let two = PlanFile::new(vec![planned("a", "api"), planned("b", "api")], Vec::new());
        assert!(text(&two).contains("b and a both become api"), "{}", text(&two));
        let unreachable = PlanFile::new(vec![planned("a_b", "a_b")], Vec::new());
        assert!(text(&unreachable).contains("a-z"), "{}", text(&unreachable));
        let twice = PlanFile::new(vec![planned("a", "a"), planned("a", "b")], Vec::new());
        assert!(text(&twice).contains("a twice"), "{}", text(&twice));
        let path_of_others = PlanFile::new(vec![planned("../v1", "a")], Vec::new());
        assert!(
            text(&path_of_others).contains("\"../v1\""),
            "{}",
            text(&path_of_others)
        );
        let long = PlanFile::new(vec![planned("a", &"x".repeat(5000))], Vec::new());
        assert!(text(&long).len() < 400, "{}", text(&long));
        let mut other_zone = planned("a", "a");
        other_zone.hosts = vec![AccountHost {
            kind: deploy_api::v1::types::HostKind::Route,
            id: "r".to_owned(),
            pattern: "a.example/*".to_owned(),
            worker: None,
            zone_id: "../accounts".to_owned(),
            zone: None,
        }];
        let other_zone = PlanFile::new(vec![other_zone], Vec::new());
        assert!(
            text(&other_zone).contains("32 hex digits"),
            "{}",
            text(&other_zone)
        );
        let mut elsewhere = planned("a", "a");
        elsewhere.environment = "qa".to_owned();
        assert!(text(&PlanFile::new(vec![elsewhere], Vec::new())).contains("\"qa\""));
        let mut other = PlanFile::new(Vec::new(), Vec::new());
        other.account = "another".to_owned();
        assert!(text(&other).contains("another"));
        // What stays may have any name.
        let mut staying = planned("A", "A");
        staying.by = Means::None;
        let plan = PlanFile::new(vec![staying], Vec::new());
        plan.write(&path).unwrap();
        assert!(PlanFile::read(&path).is_ok());
        fs::write(&path, "{ \"version\": 1, \"wokers\": [] }").unwrap();
        assert!(PlanFile::read(&path).unwrap_err().text().contains("wokers"));
    }
}
