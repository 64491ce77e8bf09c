//! `dotdo doctor`: one line for each check, with the fix.

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs};

use deploy_api::v1::types::{DispatchWorker, Health, Identity, WhoAmI};
use dotdo_names::ACCOUNT_ID;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::client::Client;
use crate::credentials::{self, Credentials};
use crate::failure::{Exit, Failure};
use crate::progress;
use crate::session::Session;
use crate::table::{Table, Tone};
use crate::times;

/// The oldest version of wrangler that is tested.
const WRANGLER: (u32, u32) = (4, 86);

/// How far the clock of this machine may be wrong. Signatures and tokens have times.
const CLOCK: SignedDuration = SignedDuration::from_secs(60);

/// How long before its end a token is mentioned.
const EXPIRES_SOON: SignedDuration = SignedDuration::from_hours(24 * 7);

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Ok,
    Warning,
    Failed,
}

/// One line.
#[derive(Debug, Serialize)]
struct Line {
    check: &'static str,
    outcome: Outcome,
    detail: String,
    /// What to do; empty if nothing is wrong.
    fix: String,
}

impl Line {
    fn ok(check: &'static str, detail: impl Into<String>) -> Self {
        Self::new(check, Outcome::Ok, detail, "")
    }

    fn warning(check: &'static str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(check, Outcome::Warning, detail, fix)
    }

    fn failed(check: &'static str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(check, Outcome::Failed, detail, fix)
    }

    fn of(check: &'static str, failure: &Failure) -> Self {
        let json = failure.json();
        let fix = json.get("fix").and_then(Json::as_str).unwrap_or_default();
        Self::failed(check, failure.to_string(), fix)
    }

    fn new(check: &'static str, outcome: Outcome, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            check,
            outcome,
            detail: detail.into(),
            fix: fix.into(),
        }
    }
}

/// Makes every check. The exit code is 1 if one failed, and 3 if the deploy API cannot be reached.
pub fn run(session: &Session) -> Result<Exit, Failure> {
    let mut exit = Exit::Success;
    let mut checks = Vec::new();
    let folder = env::current_dir().unwrap_or_default();
    let found = credentials::find();
    match &found {
        Ok(credentials) => {
            checks.push(Line::ok(
                "credentials",
                format!("{}, from {}", credentials.api, credentials.source),
            ));
            let client = Client::new(credentials);
            progress::during("checking the platform", || {
                platform(&client, &mut checks, &mut exit);
            });
        }
        Err(failure) => checks.push(Line::of("credentials", failure)),
    }
    checks.push(wrangler_version(installed_wrangler(&folder).as_deref()));
    checks.push(wrangler_variables(&variables(&folder), found.as_ref().ok()));
    if exit == Exit::Success && checks.iter().any(|check| check.outcome == Outcome::Failed) {
        exit = Exit::Refused;
    }
    session.output.either(&json!({ "checks": checks }), |output| {
        let mut table = Table::new(&["check", "", "detail", "fix"]);
        for check in &checks {
            let (word, tone) = match check.outcome {
                Outcome::Ok => ("ok", Tone::Good),
                Outcome::Warning => ("warning", Tone::Warning),
                Outcome::Failed => ("failed", Tone::Bad),
            };
            table.row([
                check.check.into(),
                tone.of(word),
                check.detail.as_str().into(),
                check.fix.as_str().into(),
            ]);
        }
        output.table(table)
    })?;
    Ok(exit)
}

/// The checks that need the deploy API.
fn platform(client: &Client, checks: &mut Vec<Line>, exit: &mut Exit) {
    let health = match client.get::<Health>("/v1/health") {
        Ok(health) => health.value,
        Err(failure) => {
            let is_refused = failure.exit() == Exit::Refused;
            checks.push(Line::of(
                if is_refused { "token" } else { "deploy API" },
                &failure,
            ));
            *exit = if is_refused {
                Exit::Refused
            } else {
                Exit::Unreachable
            };
            return;
        }
    };
    checks.push(version(&health.version));
    match client.get::<WhoAmI>("/v1/whoami") {
        Ok(answer) => {
            let now = Timestamp::now();
            checks.push(clock(answer.value.time, now));
            checks.push(token(&answer.value, now));
        }
        Err(failure) => checks.push(Line::of("token", &failure)),
    }
    checks.push(match client.get::<DispatchWorker>("/v1/dispatcher") {
        Ok(answer) => dispatcher(&answer.value),
        Err(failure) => Line::of("dispatch Worker", &failure),
    });
}

fn version(of_api: &str) -> Line {
    let own = env!("CARGO_PKG_VERSION");
    if of_api == own {
        return Line::ok("deploy API", format!("answers, version {of_api}"));
    }
    let detail = format!("has the version {of_api}, and this program {own}");
    Line::warning("deploy API", detail, "Use the program of the same version.")
}

fn clock(of_api: Timestamp, now: Timestamp) -> Line {
    let difference = now.duration_since(of_api);
    let detail = format!("differs by {} s from the deploy API's", difference.as_secs());
    if difference.abs() <= CLOCK {
        return Line::ok("clock", detail);
    }
    Line::failed("clock", detail, "Set the clock of this machine.")
}

fn token(caller: &WhoAmI, now: Timestamp) -> Line {
    let who = caller.identity.to_string();
    if caller.rules.is_empty() && caller.identity != Identity::BootstrapAdministrator {
        let detail = format!("{who}: no rule of the policy applies");
        return Line::failed(
            "token",
            detail,
            "Ask an administrator for a rule: dotdo policy apply FILE",
        );
    }
    match &caller.token {
        Some(token) if token.expires.duration_since(now) < EXPIRES_SOON => {
            let detail = format!("{who}, expires {}", times::ago(token.expires, now));
            Line::warning(
                "token",
                detail,
                "Ask an administrator for a new one: dotdo tokens create",
            )
        }
        _ => Line::ok("token", format!("{who}, {} rules apply", caller.rules.len())),
    }
}

fn dispatcher(worker: &DispatchWorker) -> Line {
    const CHECK: &str = "dispatch Worker";
    if let Some(error) = &worker.error {
        return Line::failed(
            CHECK,
            error.as_str(),
            "Look at its log: npx wrangler tail dispatcher, with your Cloudflare login",
        );
    }
    let missing: Vec<&str> = worker
        .bindings
        .iter()
        .filter(|binding| !binding.present)
        .map(|binding| binding.binding.as_ref())
        .collect();
    if missing.is_empty() {
        let names: Vec<&str> = worker
            .bindings
            .iter()
            .map(|binding| binding.environment.as_ref())
            .collect();
        return Line::ok(CHECK, format!("is bound to {}", names.join(", ")));
    }
    Line::failed(
        CHECK,
        format!("lacks {}", missing.join(", ")),
        "Add them to wrangler.jsonc, and deploy: npm run deploy",
    )
}

/// The version of the wrangler that a command in a folder would run.
fn installed_wrangler(folder: &Path) -> Option<String> {
    folder.ancestors().find_map(|folder| {
        let text = fs::read_to_string(folder.join("node_modules/wrangler/package.json")).ok()?;
        let package: Json = serde_json::from_str(&text).ok()?;
        package.get("version")?.as_str().map(str::to_owned)
    })
}

fn wrangler_version(installed: Option<&str>) -> Line {
    const CHECK: &str = "wrangler";
    const INSTALL: &str = "npm install --save-dev wrangler";
    let Some(version) = installed else {
        return Line::warning(CHECK, "is not installed in this folder", INSTALL);
    };
    let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if found >= WRANGLER {
        return Line::ok(CHECK, format!("version {version}"));
    }
    let (major, minor) = WRANGLER;
    Line::failed(
        CHECK,
        format!("version {version}, and {major}.{minor} is the oldest that works"),
        INSTALL,
    )
}

/// The variables that wrangler uses in a folder: those of the environment, or else of the file `.env`.
fn variables(folder: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(folder.join(".env")).unwrap_or_default();
    let of_file = text.lines().filter_map(|line| line.split_once('='));
    let of_file =
        of_file.map(|(name, value)| (name.trim().to_owned(), value.trim().trim_matches('"').to_owned()));
    of_file
        .chain(env::vars())
        .filter(|(name, _)| name.starts_with("CLOUDFLARE_"))
        .collect()
}

fn wrangler_variables(variables: &BTreeMap<String, String>, credentials: Option<&Credentials>) -> Line {
    const CHECK: &str = "wrangler's variables";
    let value = |name: &str| variables.get(name).map(String::as_str);
    let Some(base_url) = value("CLOUDFLARE_API_BASE_URL") else {
        let fix = "Write .env in the folder of the Worker; see docs/deploy-api.md, Deploy from a terminal";
        return Line::warning(
            CHECK,
            "CLOUDFLARE_API_BASE_URL is not set, so wrangler does not use the deploy API",
            fix,
        );
    };
    let expected = credentials.map(|credentials| format!("{}/client/v4", credentials.api));
    if let Some(expected) = expected.filter(|expected| expected != base_url) {
        let detail = format!("CLOUDFLARE_API_BASE_URL is {base_url}");
        return Line::failed(CHECK, detail, format!("Set CLOUDFLARE_API_BASE_URL={expected}"));
    }
    if value("CLOUDFLARE_ACCOUNT_ID") != Some(ACCOUNT_ID) {
        let fix = format!("Set CLOUDFLARE_ACCOUNT_ID={ACCOUNT_ID}");
        return Line::failed(
            CHECK,
            "CLOUDFLARE_ACCOUNT_ID is not the account of the platform",
            fix,
        );
    }
    if value("CLOUDFLARE_API_TOKEN").is_none_or(str::is_empty) {
        return Line::failed(
            CHECK,
            "CLOUDFLARE_API_TOKEN is not set",
            "Set it to your token of the deploy API",
        );
    }
    if value("CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV") != Some("false") {
        let detail = "`wrangler dev` passes the token to the Worker";
        return Line::warning(CHECK, detail, "Set CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV=false");
    }
    Line::ok(CHECK, format!("lead to {base_url}"))
}

#[cfg(test)]
mod tests {
    use crate::credentials::Source;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_wrong_clock_fails() {
        assert_eq!(clock(at(1000), at(1030)).outcome, Outcome::Ok);
        assert_eq!(clock(at(1000), at(900)).outcome, Outcome::Failed);
        assert_eq!(clock(at(1000), at(1100)).outcome, Outcome::Failed);
    }

    #[test]
    fn an_old_wrangler_fails_and_a_missing_one_is_a_warning() {
        for (version, outcome) in [
            (Some("4.86.0"), Outcome::Ok),
            (Some("4.152.0"), Outcome::Ok),
            (Some("5.0.0"), Outcome::Ok),
            (Some("4.85.9"), Outcome::Failed),
            (Some("3.114.0"), Outcome::Failed),
            (None, Outcome::Warning),
        ] {
            assert_eq!(wrangler_version(version).outcome, outcome, "{version:?}");
        }
    }

    #[test]
    fn a_token_without_a_rule_fails_and_one_that_expires_soon_is_a_warning() {
        let caller = |rules: Json, expires: i64| -> WhoAmI {
            serde_json::from_value(json!({
                "identity": { "kind": "api_token", "subject": "alice" }, "time": at(0), "policy_version": 1, "rules": rules,
                "token": { "id": "0123456789abcdef", "expires": at(expires), "grants": [] },
            }))
            .unwrap()
        };
        let grant = json!({ "namespaces": ["dotdo-staging"], "workers": ["*"], "actions": ["read"] });
        let rules = json!([{ "rule": "readers", "grant": grant }]);
        let month = 30 * 24 * 3600;
        assert_eq!(token(&caller(json!([]), month), at(0)).outcome, Outcome::Failed);
        assert_eq!(
            token(&caller(rules.clone(), 3600), at(0)).outcome,
            Outcome::Warning
        );
        assert_eq!(token(&caller(rules, month), at(0)).outcome, Outcome::Ok);
    }

    #[test]
    fn each_wrong_variable_has_its_fix() {
        let credentials = Credentials {
            api: "https://api.example".to_owned(),
            token: "t".into(),
            source: Source::Variables,
        };
        let good = [
            ("CLOUDFLARE_API_BASE_URL", "https://api.example/client/v4"),
            ("CLOUDFLARE_API_TOKEN", "t"),
            ("CLOUDFLARE_ACCOUNT_ID", ACCOUNT_ID),
            ("CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV", "false"),
        ];
        let check = |changed: Option<(&str, &str)>| {
            let variables = good.iter().copied().chain(changed);
            let variables = variables
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            wrangler_variables(&variables, Some(&credentials))
        };
        assert_eq!(check(None).outcome, Outcome::Ok);
        for (name, value, fix) in [
            (
                "CLOUDFLARE_API_BASE_URL",
                "https://api.example",
                "CLOUDFLARE_API_BASE_URL=https://api.example/client/v4",
            ),
            ("CLOUDFLARE_ACCOUNT_ID", "1", "CLOUDFLARE_ACCOUNT_ID="),
            ("CLOUDFLARE_API_TOKEN", "", "token of the deploy API"),
            ("CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV", "true", "=false"),
        ] {
            let found = check(Some((name, value)));
            assert!(
                found.outcome != Outcome::Ok && found.fix.contains(fix),
                "{name}: {found:?}"
            );
        }
        assert_eq!(
            wrangler_variables(&BTreeMap::new(), None).outcome,
            Outcome::Warning
        );
    }

    #[test]
    fn a_missing_binding_is_named() {
        let worker = |present: bool| -> DispatchWorker {
            serde_json::from_value(json!({
                "reached": true, "version": "0.1.0", "error": null,
                "bindings": [{
                    "environment": "staging", "namespace": "dotdo-staging", "binding": "DISPATCHER_STAGING",
                    "present": present,
                }],
            }))
            .unwrap()
        };
        assert_eq!(dispatcher(&worker(true)).outcome, Outcome::Ok);
        let missing = dispatcher(&worker(false));
        assert!(
            missing.outcome == Outcome::Failed && missing.detail.contains("DISPATCHER_STAGING"),
            "{missing:?}"
        );
    }
}
