use dotdo_names::{Namespace, WorkerName};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::{Action, Annotations, Bundle, Outcome, Reason};
use crate::identity::{Identity, TokenId};
use crate::policy::RuleName;
use crate::schema::Time;
use crate::target::Target;

/// An event, or an intent. Its position in the chain determines its sequence number and hash.
///
/// No field can contain a secret: texts are names, digests, claims and codes. The only free texts are those that are written
/// to be read: a lock's [`why`](LockRecord::why), and the [`Annotations`] of an upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Entry {
    /// When, on the deploy API's clock; milliseconds are kept.
    #[serde(serialize_with = "milliseconds")]
    #[schemars(with = "Time")]
    pub time: Timestamp,
    /// The outcome, or `intent` before the action begins.
    pub outcome: Outcome,
    /// What was done or requested. In JSON its name is `verb`: the hash chain contains the JSON of every stored entry, and
    /// clients of the public API read it by this name.
    #[serde(rename = "verb")]
    pub action: Action,
    /// The sequence number of the intent that this outcome closes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<u64>,
    /// The dispatch namespace it was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<&'static str>,
    /// The Worker it was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
    /// The deployment that it made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment: Option<String>,
    /// The deployment that it replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_deployment: Option<String>,
    /// What was uploaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bundle: Option<Bundle>,
    /// What the developer wrote about the upload.
    #[serde(skip_serializing_if = "Annotations::is_empty")]
    pub annotations: Annotations,
    /// Who did it; `None` if the request was not authenticated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// The id of the token of the request, if it was issued by this API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
    /// The rule and the version of the policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authority: Option<Authority>,
    /// Where the request came from.
    pub client: Client,
    /// The answer of the upstream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream: Option<Upstream>,
    /// Why it was denied or failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The object of the action, if it is neither a Worker nor a namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<SubjectRecord>,
    /// The number of denials that the entry represents; omitted if it is 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

impl Entry {
    /// An entry with the members that every entry has.
    #[must_use]
    pub const fn new(time: Timestamp, action: Action, outcome: Outcome, client: Client) -> Self {
        Self {
            time,
            outcome,
            action,
            intent: None,
            namespace: None,
            worker: None,
            deployment: None,
            previous_deployment: None,
            bundle: None,
            annotations: Annotations {
                message: None,
                tag: None,
            },
            identity: None,
            token: None,
            authority: None,
            client,
            upstream: None,
            reason: None,
            subject: None,
            count: None,
        }
    }

    /// The same, about a Worker.
    #[must_use]
    pub fn about(self, target: &Target) -> Self {
        self.about_namespace(target.namespace)
            .about_worker(&target.worker)
    }

    /// The same, about a namespace.
    #[must_use]
    pub const fn about_namespace(mut self, namespace: Namespace) -> Self {
        self.namespace = Some(namespace.name());
        self
    }

    fn about_worker(mut self, worker: &WorkerName) -> Self {
        self.worker = Some(worker.as_str().to_owned());
        self
    }

    /// The same, by this caller.
    #[must_use]
    pub fn by(mut self, caller: &crate::policy::Caller) -> Self {
        self.identity = Some(caller.identity.clone());
        self.token.clone_from(&caller.token);
        self
    }

    /// The same, under a rule of a version of the policy.
    #[must_use]
    pub fn under(mut self, rule: Option<&RuleName>, policy_version: u64) -> Self {
        self.authority = Some(Authority {
            rule: rule.cloned(),
            policy_version,
        });
        self
    }

    /// The same, for this reason.
    #[must_use]
    pub fn because(mut self, reason: Reason) -> Self {
        self.reason = Some(reason);
        self
    }
}

/// RFC 3339 in UTC with three digits of a second, so that texts sort as times do.
fn milliseconds<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{time:.3}"))
}

/// Under which rule something was allowed. A denial has a version and no rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Authority {
    /// The rule that allowed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleName>,
    /// The version of the policy that was evaluated; 0 if there is none.
    pub policy_version: u64,
}

/// Where a request came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Client {
    /// The address that the platform reports (`CF-Connecting-IP`); `None` on the local platform and for the reconciler.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The id of the request: its `cf-ray`, if it has one.
    pub request_id: String,
}

/// The answer of the upstream to the call of an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Upstream {
    /// Its HTTP status; `None` if there was no response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Its `cf-ray`, which joins this log to Cloudflare's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cf_ray: Option<String>,
    /// How long it took.
    pub milliseconds: u64,
}

/// The object of an action, if it is neither a Worker nor a namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SubjectRecord {
    /// A token that was created or revoked.
    Token {
        /// Its id.
        id: TokenId,
        /// Its holder: a subject, or a run.
        #[serde(rename = "for")]
        holder: String,
        /// The rules that gave a deploy token its grants.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        rules: Vec<RuleName>,
        /// When it ends.
        #[serde(serialize_with = "milliseconds")]
        #[schemars(with = "Time")]
        expires: Timestamp,
    },
    /// A version of the policy.
    Policy {
        /// The new version.
        version: u64,
        /// The SHA-256 of the document.
        sha256: String,
    },
    /// A secret of a Worker, by its name.
    Secret {
        /// The binding's name.
        name: String,
    },
    /// Secrets of a Worker that were changed together, by their names.
    Secrets {
        /// The names of those that are set.
        set: Vec<String>,
        /// The names of those that are removed.
        removed: Vec<String>,
    },
    /// The account Worker that was deployed to a namespace.
    AccountWorker {
        /// Its name.
        name: String,
        /// Cloudflare's digest of its script; omitted if it returned none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        etag: Option<String>,
    },
    /// Static assets, by number: one upload may carry thousands.
    Assets {
        /// How many files.
        files: u64,
        /// How many bytes they have together.
        bytes: u64,
        /// The SHA-256 of the manifest that names them all by path, hash and size; it is kept in the bundle store.
        manifest: String,
    },
    /// A script that was changed outside of the deploy API.
    Drift {
        /// What was changed: `code`, `settings`, `deleted` or `created`.
        change: String,
        /// The upstream's digest of the script; omitted if there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        etag: Option<String>,
        /// When the upstream changed the script last; omitted if it is not known.
        #[serde(
            default,
            skip_serializing_if = "Option::is_none",
            serialize_with = "optional_milliseconds"
        )]
        #[schemars(with = "Option<Time>")]
        modified_on: Option<Timestamp>,
    },
    /// A preview that expired, so that the deploy API deletes it.
    ExpiredPreview {
        /// When it expired.
        #[serde(serialize_with = "milliseconds")]
        #[schemars(with = "Time")]
        expired: Timestamp,
    },
    /// A lock.
    Lock(LockRecord),
    /// A change that was made without the deploy API.
    BreakGlass {
        /// Why and what, in the administrator's words.
        why: String,
        /// When it was done.
        #[serde(serialize_with = "milliseconds")]
        #[schemars(with = "Time")]
        at: Timestamp,
    },
}

/// A lock, as it was set or removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct LockRecord {
    /// The reason that the owner of the lock gave.
    pub why: String,
    /// The end; `None` for a lock without an end.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "optional_milliseconds"
    )]
    #[schemars(with = "Option<Time>")]
    pub until: Option<Timestamp>,
}

#[expect(clippy::ref_option, reason = "the signature that serde calls")]
fn optional_milliseconds<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => milliseconds(time, serializer),
        None => serializer.serialize_none(),
    }
}
