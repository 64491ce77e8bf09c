//! The checks that need the deploy API: the clock, the token and the dispatch Worker.

use deploy_api::v1::types::{DispatchWorker, Health, Identity, WhoAmI};
use jiff::{SignedDuration, Timestamp};

use super::Line;
use crate::client::Client;
use crate::count::counted;
use crate::failure::Exit;
use crate::times;

/// How far the clock of this machine may be wrong. Signatures and tokens have times.
const CLOCK: SignedDuration = SignedDuration::from_secs(60);

/// How long before its end a token is mentioned.
const EXPIRES_SOON: SignedDuration = SignedDuration::from_hours(24 * 7);

/// Makes the checks. `exit` becomes the exit code of the command, if the deploy API cannot be reached or refuses the token.
pub fn check(client: &Client, checks: &mut Vec<Line>, exit: &mut Exit) {
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
            let detail = format!("{who}, {}", times::expiry(token.expires, now));
            Line::warning(
                "token",
                detail,
                "Ask an administrator for a new one: dotdo tokens create",
            )
        }
        _ => {
            let rules = counted(caller.rules.len(), "rule applies", "rules apply");
            Line::ok("token", format!("{who}, {rules}"))
        }
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

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::super::Outcome;
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
