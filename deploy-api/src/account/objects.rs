//! The Durable Objects of account Workers. Their data belongs to the account Worker and cannot be moved to a script in a namespace.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::AccountWorkerName;
use super::reading::{Unreadable, has_next_page, items, read, text};
use crate::problem::Problem;
use crate::services::Services;
use crate::upstream::{Method, script};

/// The permission for the calls about Durable Objects.
const PERMISSION: &str = "Workers Scripts: Read";

/// The size of a page of the namespaces of Durable Objects.
const NAMESPACES: u32 = 1000;

/// The most pages of namespaces that are read for one Worker.
const PAGES: u32 = 5;

/// The most classes of one Worker whose objects are looked at.
const CLASSES: usize = 20;

/// The number of objects of a class that are looked at.
const OBJECTS: u32 = 1000;

/// A Durable Object class of an account Worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AccountObjectNamespace")]
pub struct ObjectNamespace {
    /// Cloudflare's id of the objects of the class.
    pub id: String,
    /// The name of the class.
    pub class: String,
    /// Whether the objects have SQLite storage.
    pub use_sqlite: bool,
    /// Whether an object has stored data; null if that is not known.
    pub has_data: Option<bool>,
}

/// The Durable Object classes of an account Worker; `None` if they are not known.
pub(super) async fn objects(
    services: &impl Services,
    name: &AccountWorkerName,
    unknown: &mut Vec<Unreadable>,
) -> Result<Option<Vec<ObjectNamespace>>, Problem> {
    let mut found = Vec::new();
    for page in 1..=PAGES {
        let request = script::account(Method::Get, &["workers", "durable_objects", "namespaces"])
            .parameter("per_page", NAMESPACES.to_string())
            .parameter("page", page.to_string());
        let Some(reply) = read(services, request, PERMISSION, "durable_objects", unknown).await? else {
            return Ok(None);
        };
        let own = items(&reply.result)
            .iter()
            .filter(|namespace| text(namespace, "script").as_deref() == Some(name.as_str()));
        found.extend(own.filter_map(described));
        if !has_next_page(&reply, page) {
            break;
        }
        if page == PAGES {
            let reason = "The account has more than 5,000 namespaces of Durable Objects.";
            unknown.push(Unreadable::because(reason, "durable_objects"));
            return Ok(None);
        }
    }
    for (index, namespace) in found.iter_mut().enumerate() {
        if index == CLASSES {
            let reason = "The Worker has more than 20 Durable Object classes.";
            unknown.push(Unreadable::because(reason, "stored data of Durable Objects"));
            break;
        }
        namespace.has_data = has_data(services, namespace, unknown).await?;
    }
    Ok(Some(found))
}

fn described(namespace: &Value) -> Option<ObjectNamespace> {
    let is_id = |id: &String| {
        !id.is_empty()
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    Some(ObjectNamespace {
        id: text(namespace, "id").filter(is_id)?,
        class: text(namespace, "class")?,
        use_sqlite: namespace
            .get("use_sqlite")
            .and_then(Value::as_bool)
            .unwrap_or(false),
        has_data: None,
    })
}

/// Whether one of the first objects of a class has stored data.
async fn has_data(
    services: &impl Services,
    namespace: &ObjectNamespace,
    unknown: &mut Vec<Unreadable>,
) -> Result<Option<bool>, Problem> {
    let path = [
        "workers",
        "durable_objects",
        "namespaces",
        &namespace.id,
        "objects",
    ];
    let request = script::account(Method::Get, &path).parameter("limit", OBJECTS.to_string());
    let what = format!("stored data of the Durable Object class {}", namespace.class);
    let Some(reply) = read(services, request, PERMISSION, what.clone(), unknown).await? else {
        return Ok(None);
    };
    let objects = items(&reply.result);
    if objects
        .iter()
        .any(|object| object.get("hasStoredData").and_then(Value::as_bool) == Some(true))
    {
        return Ok(Some(true));
    }
    let cursor = reply.info.as_ref().and_then(|info| info.get("cursor")?.as_str());
    if cursor.is_some_and(|cursor| !cursor.is_empty()) {
        let reason = "None of the first 1,000 objects has stored data, and there are more objects.";
        unknown.push(Unreadable::because(reason, what));
        return Ok(None);
    }
    Ok(Some(false))
}
