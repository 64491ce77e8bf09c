//! The descriptions and schemas of the parameters of `/v1`. A parameter means the same in every call, except for `confirm`.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::json;

use crate::audit::{Action, Outcome};
use crate::identity::{TokenId, TokenKind};
use crate::logs::LogLevel;
use crate::schema::{NamespaceName, PATH_PATTERN, WorkerName};

/// The format of the name of a secret as a regular expression.
const SECRET_NAME_PATTERN: &str = "^[A-Za-z_$][A-Za-z0-9_$]*$";

/// The description of the filter `repository`.
const REPOSITORY: &str = "Only what jobs of this repository did: `owner/name` in GitHub, the path of the project in GitLab, or \
                          `organization/pipeline` in Buildkite. A number is the id of the repository or the project.";

/// The name under which [`describe`] has the parameter `confirm` of a call that redeploys.
pub(super) const CONFIRM_REDEPLOY: &str = "confirm (redeploy)";

/// The description of a parameter of a path or a query, and its schema. `None` for a parameter that no call has.
pub(super) fn describe(name: &str, generator: &mut SchemaGenerator) -> Option<(&'static str, Schema)> {
    let text = || json_schema!({ "type": "string" });
    let positive = || json_schema!({ "type": "integer", "minimum": 1 });
    let not_empty = || json_schema!({ "type": "string", "minLength": 1 });
    let time = || {
        json_schema!({
            "type": "string",
            "anyOf": [
                { "format": "date-time" },
                { "format": "date" },
                { "pattern": "^[0-9]{1,9}[smhdw]$" },
            ],
        })
    };
    Some(match name {
        "namespace" => (
            "The dispatch namespace.",
            generator.subschema_for::<NamespaceName>(),
        ),
        "worker" => ("The Worker.", generator.subschema_for::<WorkerName>()),
        "account_worker" => (
            "The Worker of the account.",
            json_schema!({ "type": "string", "pattern": "^[A-Za-z0-9_-]{1,255}$" }),
        ),
        "token" => ("The id of the token.", generator.subschema_for::<TokenId>()),
        "secret" => (
            "The name of the secret.",
            json_schema!({ "type": "string", "pattern": SECRET_NAME_PATTERN, "maxLength": super::secrets::MAX_NAME }),
        ),
        // The filter of the audit log accepts every text: entries about an unknown deployment are an empty list.
        "deployment" => ("The id of the deployment.", text()),
        "limit" => (
            "The maximum number of items in a page.",
            json_schema!({
                "type": "integer", "minimum": 1, "maximum": super::page::MAX_LIMIT,
                "default": super::page::DEFAULT_LIMIT,
            }),
        ),
        "cursor" => (
            "The `cursor` of the previous page of the same list. It is opaque.",
            not_empty(),
        ),
        "first" => ("The sequence number of the segment's first entry.", positive()),
        "kind" => (
            "Only tokens of this kind.",
            generator.subschema_for::<TokenKind>(),
        ),
        "version" => ("An earlier version.", positive()),
        "dry_run" => (
            "Only report the effect of the change, without making it.",
            json_schema!({ "type": "boolean", "default": false }),
        ),
        "confirm" => (
            "Stores a policy without an administrator, or one that takes `admin` from the caller. Without it, such a policy \
             fails with POLICY_LOCKS_OUT.",
            json_schema!({ "enum": ["lock_out"] }),
        ),
        CONFIRM_REDEPLOY => (
            "Takes bindings of the current version in place of those of the deployment that are not known. Without it, such a \
             deployment fails with REDEPLOY_INEXACT.",
            json_schema!({ "enum": ["inexact"] }),
        ),
        "repository" => (REPOSITORY, text()),
        "actor" => ("Only what this GitHub account's runs did.", text()),
        "subject" => ("Only what API tokens of this subject did.", text()),
        "rule" => ("Only what this rule allowed.", text()),
        "request_id" => ("Only what this request did.", text()),
        "client" => ("Only what came from this address.", text()),
        "outcome" => (
            "Only entries with this outcome.",
            generator.subschema_for::<Outcome>(),
        ),
        "verb" => ("Only entries about this.", generator.subschema_for::<Action>()),
        "since" => (
            "Only items from this time on: a time in RFC 3339, a date in UTC, or a duration before now, such as `90m`, `1h` or `2d`.",
            time(),
        ),
        "until" => (
            "Only items before this time: a time in RFC 3339, a date in UTC, or a duration before now.",
            time(),
        ),
        "order" => (
            "Which entry comes first.",
            json_schema!({ "enum": ["newest", "oldest"], "default": "newest" }),
        ),
        "format" => (
            "`ndjson` for one entry a line, which `dotdo audit verify` reads. The URL of the next page is then in the header `Link`.",
            json_schema!({ "enum": ["json", "ndjson"], "default": "json" }),
        ),
        "tag" => ("Only Workers with this tag.", not_empty()),
        "path" => (
            "The path of the request.",
            json_schema!({ "type": "string", "pattern": PATH_PATTERN, "default": "/" }),
        ),
        "expect" => (
            "The expected status. Default: any response of the Worker.",
            json_schema!({ "type": "integer", "minimum": 100, "maximum": 599 }),
        ),
        _ => return describe_of_log(name, generator),
    })
}

/// The parameters of the log of a Worker that no other call has.
fn describe_of_log(name: &str, generator: &mut SchemaGenerator) -> Option<(&'static str, Schema)> {
    Some(match name {
        "level" => (
            "Only events with a line of this level or a more severe one. An event that failed has the level `error`.",
            generator.subschema_for::<LogLevel>(),
        ),
        "search" => (
            "Only events that have this text in a line, an exception or the path, in upper or lower case.",
            json_schema!({ "type": "string", "minLength": 1, "maxLength": super::logs::MAX_SEARCH }),
        ),
        "follow" => (
            "Returns the events as they come, as server-sent events (`text/event-stream`): first those from `since` or `after` on. The \
             data of an event `log` is a `LogEvent`, that of an event `dropped` has the number of `events` that are missing. The \
             stream ends after at most 15 minutes; the next request continues it with `after`.",
            json_schema!({ "type": "boolean", "default": false }),
        ),
        "after" => (
            "Only with `follow`: the id of the last event that the client has.",
            json_schema!({ "type": "string", "pattern": "^[0-9]{1,16}-[0-9]{1,16}$" }),
        ),
        _ => return None,
    })
}

/// The header `If-Match` of `PUT /v1/policy`.
pub(super) fn if_match() -> serde_json::Value {
    json!({
        "name": "If-Match",
        "in": "header",
        "description": "The ETag of the version on which the change is based. If it is not the current version, the request \
                        fails. `\"0\"` for the first policy.",
        "schema": { "type": "string", "pattern": "^\"[0-9]{1,15}\"$" },
    })
}
