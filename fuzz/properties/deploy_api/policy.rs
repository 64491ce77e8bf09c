//! A policy loads whole or not at all, and what loads allows nothing to whom it does not name.

use deploy_api::identity::{Caller, Identity, Scope, Subject};
use deploy_api::policy::{Action, Policy, Request};

/// Checks a text as a policy.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    match Policy::load(text) {
        Err(errors) => {
            assert!(!errors.0.is_empty());
            assert!(errors.0.iter().all(|error| !error.to_string().is_empty()));
        }
        Ok(policy) => check_policy(&policy, text),
    }
}

fn check_policy(policy: &Policy, text: &str) {
    let again = Policy::load(text).expect("it loads again");
    let changes = policy.changes_to(&again);
    let shown = serde_json::to_value(&changes).expect("changes can be written");
    for list in shown.as_object().into_iter().flat_map(|lists| lists.values()) {
        assert!(
            list.as_array().is_none_or(Vec::is_empty),
            "a policy does not differ from itself: {shown}"
        );
    }
    let stranger = "nobody-names-this-subject";
    if text.contains(stranger) {
        return;
    }
    let caller = Caller {
        identity: Identity::ApiToken {
            subject: Subject::parse(stranger).expect("it is a subject"),
        },
        token: None,
        scope: Scope::Policy,
    };
    for action in Action::ALL {
        let decision = policy.decide(&caller, &Request::platform(action));
        assert!(!decision.is_allowed(), "default deny");
    }
}
