//! Every call gets marked secrets. They do not appear in errors, in the audit log or in a table.

use deploy_api::ledger::calls::tokens;
use serde_json::json;

use crate::support::api::{Api, BOOTSTRAP};
use crate::support::callers::run;
use crate::support::issuer::{Key, claims, header, signed, token};
use crate::support::rules::production;

/// All rows of all tables as text.
fn stored(api: &Api) -> String {
    let mut all = String::new();
    for table in ["tokens", "replays", "lockouts", "policies", "audit"] {
        all.push_str(&api.sql.dump(table));
    }
    all
}

#[test]
fn no_secret_is_stored_or_returned() {
    let api = Api::with_policy(&[production()]);
    let good = token(&claims(&run()));
    let forged = signed(&header(), &claims(&run()), Key::Mallorys);
    let deploy_token = api.exchange(&good).unwrap()["token"].as_str().unwrap().to_owned();
    let caller = api.authenticate(&deploy_token).unwrap();
    let bootstrap = api.bootstrap();
    let body = json!({ "subject": "alice", "expires": "2027-02-01T00:00:00Z",
        "grants": [{ "namespaces": ["dotdo-staging"], "workers": ["agents"], "actions": ["read"] }] });
    let entropy = api.entropy();
    api.request(|access| tokens::create(access, &bootstrap, body.to_string().as_bytes(), entropy))
        .unwrap();
    let mut returned = vec![format!("{caller:?} {bootstrap:?}")];
    for outcome in [api.exchange(&good), api.exchange(&forged)] {
        returned.push(format!("{:?}", outcome.unwrap_err()));
    }
    let wrong = "wrong-bootstrap-secret-marker";
    returned.push(format!("{:?}", api.authenticate(wrong).unwrap_err()));
    api.request(|access| tokens::revoke_self(access, &caller))
        .unwrap();
    returned.push(format!("{:?}", api.authenticate(&deploy_token).unwrap_err()));

    let everything = stored(&api) + &returned.concat();
    assert!(everything.contains("octocat"), "the search finds a stored value");
    let random = data_encoding::HEXLOWER.encode(&entropy);
    for (what, secret) in [
        ("the OIDC token's signature", good.rsplit('.').next().unwrap()),
        ("the OIDC token's claims", good.split('.').nth(1).unwrap()),
        ("a forged token's signature", forged.rsplit('.').next().unwrap()),
        ("the deploy token", deploy_token.trim_start_matches("dotdo_run_")),
        ("the API token", random.as_str()),
        ("the bootstrap secret", BOOTSTRAP),
        ("a wrong secret", wrong),
    ] {
        assert!(!everything.contains(secret), "{what}");
    }
}
