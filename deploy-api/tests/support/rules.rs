use deploy_api::policy::Policy;
use serde_json::{Value, json};

/// A valid rule: the main branch of drivly/agents may deploy to production with the environment `production`.
pub fn production() -> Value {
    json!({
        "name": "agents-production",
        "who": { "github": {
            "repository": "drivly/agents", "repository_id": "1001", "repository_owner_id": "2002",
            "ref": "refs/heads/main", "environment": "production"
        } },
        "namespaces": ["dotdo-production"],
        "workers": ["agents", "agents-*"],
        "actions": ["read", "deploy"]
    })
}

/// A valid rule: a person may deploy to staging.
pub fn alice() -> Value {
    json!({
        "name": "alice",
        "who": { "token": "alice" },
        "namespaces": ["dotdo-staging"],
        "workers": ["agents"],
        "actions": ["read", "deploy", "lock"]
    })
}

/// A valid rule: a person may do everything.
pub fn operators() -> Value {
    json!({
        "name": "operators",
        "who": { "token": "ops" },
        "namespaces": ["dotdo-production", "dotdo-staging", "dotdo-development"],
        "workers": ["*"],
        "actions": ["read", "deploy", "delete", "secrets", "rollback", "promote", "lock", "admin"]
    })
}

/// A rule with one member replaced. The path is a JSON pointer: `/who/github/ref`. `Value::Null` removes the member.
pub fn with(mut rule: Value, path: &str, value: Value) -> Value {
    let (parent, name) = path.rsplit_once('/').unwrap();
    let parent = rule.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    if value.is_null() {
        parent.remove(name);
    } else {
        parent.insert(name.to_owned(), value);
    }
    rule
}

pub fn document(rules: &[Value]) -> String {
    json!({ "version": 1, "rules": rules }).to_string()
}

pub fn policy(rules: &[Value]) -> Policy {
    Policy::load(&document(rules)).unwrap()
}
