//! A policy either loads completely or is rejected with every error, and allows nothing to a caller that it does not
//! name.

use deploy_api::identity::{Identity, Subject};
use deploy_api::policy::{Action, Caller, Policy, Request, Scope};

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
    let same = Policy::load(text).expect("a policy that loaded loads again");
    let changes = policy.changes_to(&same);
    let changes = serde_json::to_value(&changes).expect("changes serialize");
    for list in changes.as_object().into_iter().flat_map(|lists| lists.values()) {
        assert!(
            list.as_array().is_none_or(Vec::is_empty),
            "a policy equals itself: {changes}"
        );
    }
    let subject = "a-subject-without-a-rule";
    if text.contains(subject) {
        return;
    }
    let caller = Caller {
        identity: Identity::ApiToken {
            subject: Subject::parse(subject).expect("the subject is valid"),
        },
        token: None,
        scope: Scope::Policy,
    };
    for action in Action::ALL {
        let decision = policy.decide(&caller, &Request::platform(action));
        assert!(!decision.is_allowed(), "{action:?} is allowed without a rule");
    }
}
