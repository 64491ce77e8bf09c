//! The checks of wrangler: its version, and the variables with which it uses the deploy API.

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs};

use dotdo_names::ACCOUNT_ID;
use serde_json::Value as Json;

use super::Line;
use crate::credentials::Credentials;

/// The oldest version of wrangler that is tested.
const WRANGLER: (u32, u32) = (4, 86);

/// Checks the wrangler that a command in a folder would run.
pub fn check(folder: &Path, credentials: Option<&Credentials>) -> [Line; 2] {
    [
        version(installed(folder).as_deref()),
        settings(&variables(folder), credentials),
    ]
}

/// The version of the wrangler that a command in a folder would run.
fn installed(folder: &Path) -> Option<String> {
    folder.ancestors().find_map(|folder| {
        let text = fs::read_to_string(folder.join("node_modules/wrangler/package.json")).ok()?;
        let package: Json = serde_json::from_str(&text).ok()?;
        package.get("version")?.as_str().map(str::to_owned)
    })
}

fn version(installed: Option<&str>) -> Line {
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

fn settings(variables: &BTreeMap<String, String>, credentials: Option<&Credentials>) -> Line {
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
    use super::super::Outcome;
    use super::*;
    use crate::credentials::Source;

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
            assert_eq!(super::version(version).outcome, outcome, "{version:?}");
        }
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
            settings(&variables, Some(&credentials))
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
        assert_eq!(settings(&BTreeMap::new(), None).outcome, Outcome::Warning);
    }
}
