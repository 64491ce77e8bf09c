//! Look-ups of resources of the account, which wrangler makes during a deploy for the bindings of a Worker.

use dotdo_names::Namespace;
use serde_json::{Map, Value, json};

use super::product::{Product, Traits};
use super::query::Parameters;
use super::response::Reply;
use super::{Absent, Envelope};
use crate::audit;
use crate::code::Code;
use crate::deploys::Gateway;
use crate::identity::ShownCredential;
use crate::ledger::{Ask, LedgerClient};
use crate::policy::{self, Action};
use crate::problem::Problem;
use crate::services::Services;
use crate::upstream::{CallFailure, Called, Method, Reply as UpstreamReply, call, script};

/// The most resources of a page.
const MAX_PER_PAGE: u32 = 1000;

/// The last page that can be requested.
const MAX_PAGE: u32 = 100;

/// The most names in the query of one call.
const MAX_NAMES: usize = 100;

/// The longest value of a parameter, in bytes.
const MAX_VALUE: usize = 512;

/// The members of a page's description that are returned.
const INFO: [&str; 6] = [
    "page",
    "per_page",
    "count",
    "total_count",
    "total_pages",
    "cursor",
];

/// One resource by its name or id, as the upstream returns it. `jurisdiction` is wrangler's header for buckets. Without the
/// permission to read buckets, a bucket is treated as existing: the upstream checks it when the Worker is uploaded.
///
/// # Errors
/// `PERMISSION_DENIED`, `RESOURCE_UNREADABLE`, `PARAMETER_INVALID`, `UPSTREAM_…`.
pub(super) async fn get<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    product: Product,
    name: &str,
    jurisdiction: Option<&str>,
) -> Result<Reply, Problem> {
    authorize(gateway, credential).await?;
    let traits = product.traits();
    let path = [traits.path, &[name]].concat();
    let request = script::account(Method::Get, &path).in_jurisdiction(checked_jurisdiction(jurisdiction)?);
    let Called { record, outcome } = call(gateway.services, request).await;
    match outcome {
        Ok(reply) => Ok(Reply::Success(Envelope::of(shown(reply.result, &traits)))),
        Err(_) if record.status == Some(404) => Ok(Reply::Absent(Absent::Resource(product))),
        Err(_) if record.status == Some(403) && product == Product::R2 => {
            Ok(Reply::Success(Envelope::of(json!({ "name": name }))))
        }
        Err(failure) => Err(refusal(product, record.status, failure)),
    }
}

/// A page of the resources of a product.
///
/// # Errors
/// `PERMISSION_DENIED`, `RESOURCE_UNREADABLE`, `PARAMETER_INVALID`, `UPSTREAM_…`.
pub(super) async fn list<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
    product: Product,
    query: &str,
    jurisdiction: Option<&str>,
) -> Result<Reply, Problem> {
    authorize(gateway, credential).await?;
    let traits = product.traits();
    let Page { parameters, names } = page(query)?;
    let mut request =
        script::account(Method::Get, traits.path).in_jurisdiction(checked_jurisdiction(jurisdiction)?);
    for (name, value) in parameters {
        request = request.parameter(name, value);
    }
    for name in &names {
        request = request.parameter("name", name);
    }
    let Called { record, outcome } = call(gateway.services, request).await;
    let UpstreamReply { mut result, info } =
        outcome.map_err(|failure| refusal(product, record.status, failure))?;
    if let Some(member) = traits.list {
        result = result.get_mut(member).map(Value::take).unwrap_or_default();
    }
    let mut items: Vec<Value> = match result {
        Value::Array(items) => items.into_iter().map(|item| shown(item, &traits)).collect(),
        _ => Vec::new(),
    };
    if product == Product::Queues && !names.is_empty() {
        items.retain(|queue| {
            let name = queue.get("queue_name").and_then(Value::as_str);
            name.is_some_and(|name| names.iter().any(|wanted| wanted == name))
        });
    }
    let result = match traits.list {
        Some(member) => json!({ member: items }),
        None => Value::Array(items),
    };
    let envelope = Envelope::of(result);
    Ok(Reply::Success(match info.and_then(only_info) {
        Some(info) => envelope.with_info(info),
        None => envelope,
    }))
}

/// Allows the look-up to a caller who may deploy a Worker.
async fn authorize<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    credential: &ShownCredential,
) -> Result<(), Problem> {
    let requests = Namespace::ALL
        .map(|namespace| policy::Request::any_worker(Action::Deploy, namespace))
        .to_vec();
    let ask = Ask::OneOf {
        requests,
        action: audit::Action::Read,
    };
    gateway.authorize(credential, ask).await.map(drop)
}

/// The query of a list.
struct Page {
    /// The parameters of the page.
    parameters: Vec<(&'static str, String)>,
    /// The names that are looked for; empty for every resource.
    names: Vec<String>,
}

fn page(query: &str) -> Result<Page, Problem> {
    let (names, parameters) = Parameters::with_repeated(query, "name")?;
    let parameters = parameters.only(&["page", "per_page", "order", "direction", "cursor"])?;
    for (name, value) in &parameters {
        let limit = match *name {
            "page" => MAX_PAGE,
            "per_page" => MAX_PER_PAGE,
            _ if value.len() <= MAX_VALUE => continue,
            _ => 0,
        };
        let number: Option<u32> = value.parse().ok();
        if !number.is_some_and(|number| (1..=limit).contains(&number)) {
            return Err(invalid(&format!(
                "The parameter {name} of the query is not a number from 1 to {limit}."
            )));
        }
    }
    let is_name = |name: &String| {
        !name.is_empty()
            && name.len() <= MAX_VALUE
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    if names.len() > MAX_NAMES || !names.iter().all(is_name) {
        return Err(invalid(
            "A parameter `name` of the query is not a name of letters, digits, '-', '_' and '.', or there are more than 100.",
        ));
    }
    Ok(Page { parameters, names })
}

/// R2's jurisdictions are short words.
fn checked_jurisdiction(jurisdiction: Option<&str>) -> Result<Option<String>, Problem> {
    match jurisdiction {
        None => Ok(None),
        Some(name)
            if !name.is_empty()
                && name.len() <= 32
                && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') =>
        {
            Ok(Some(name.to_owned()))
        }
        Some(_) => Err(invalid("The header cf-r2-jurisdiction is not a jurisdiction.")),
    }
}

fn invalid(detail: &str) -> Problem {
    Problem::new(Code::ParameterInvalid, detail, "Call with an unchanged wrangler.")
}

/// The members of a resource that wrangler uses. Others may contain secrets, or tell of other Workers.
fn shown(resource: Value, traits: &Traits) -> Value {
    let Value::Object(members) = resource else {
        return Value::Null;
    };
    members
        .into_iter()
        .filter(|(name, _)| traits.shown.contains(&name.as_str()))
        .collect::<Map<_, _>>()
        .into()
}

fn only_info(info: Value) -> Option<Value> {
    let Value::Object(members) = info else {
        return None;
    };
    Some(
        members
            .into_iter()
            .filter(|(name, _)| INFO.contains(&name.as_str()))
            .collect::<Map<_, _>>()
            .into(),
    )
}

fn refusal(product: Product, status: Option<u16>, failure: CallFailure) -> Problem {
    if status != Some(403) || failure.problem.code != Code::UpstreamCredentialRefused {
        return failure.problem;
    }
    let Traits {
        one,
        permission,
        field,
        ..
    } = product.traits();
    Problem::new(
        Code::ResourceUnreadable,
        format!("wrangler looks up {one}, and the Cloudflare token of the deploy API may not read it."),
        format!(
            "Write its name or id into `{field}` of the wrangler configuration, or ask an operator to add the permission \"{permission}\" \
             to the token."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_limited() {
        let Page { parameters, names } =
            page("per_page=100&order=title&direction=asc&page=2&name=a&name=b").unwrap();
        assert_eq!(parameters.len(), 4);
        assert_eq!(names, ["a", "b"]);
        let many = "name=a&".repeat(MAX_NAMES + 1);
        for query in [
            "per_page=0",
            "per_page=1001",
            "page=101",
            "page=x",
            "page=1&page=2",
            "name=a%2Fb",
            "name=",
            "other=1",
            "name=%",
            &many,
        ] {
            assert_eq!(page(query).err().unwrap().code, Code::ParameterInvalid, "{query}");
        }
        for name in ["", "EU", "eu/x", "eu eu"] {
            assert!(checked_jurisdiction(Some(name)).is_err(), "{name}");
        }
        assert_eq!(checked_jurisdiction(Some("eu")).unwrap().as_deref(), Some("eu"));
    }
}
