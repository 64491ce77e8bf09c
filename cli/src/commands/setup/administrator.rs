//! The first policy and the first token, with the bootstrap secret, which exists only for this.

use std::thread;
use std::time::{Duration, Instant};

use deploy_api::v1::types::{
    Action, ApiToken, ChangeSentences, GrantDocument, PolicyChange, Subject, TokenRecord, TokenRequest,
    WhoAmI,
};
use dotdo_names::Environment;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};
use ureq::http::Method;

use super::account::BOOTSTRAP;
use super::deploy;
use crate::client::{Answer, Client};
use crate::cloudflare::Cloudflare;
use crate::commands::tokens::LIFETIME;
use crate::credentials::{self, Credentials, Source};
use crate::failure::{Exit, Failure};

/// How long a new Worker and a new secret may take to be served everywhere. Cloudflare names no limit.
const PROPAGATION: Duration = Duration::from_mins(3);

/// The pause between two tries.
const PAUSE: Duration = Duration::from_secs(2);

/// Who administers the platform, as far as this machine knows.
#[derive(Debug)]
pub enum Administrator {
    /// These credentials are valid, as far as the deploy API can tell now.
    Known(Credentials),
    /// There are no valid credentials here; with the reason, as the end of a sentence.
    Unknown(&'static str),
}

/// The result of [`create`].
#[derive(Debug)]
pub enum Created {
    /// A token was created and stored. With the warnings of the deploy API.
    Token(Credentials, Vec<String>),
    /// Somebody uses a token that may administer: nothing was created. With its id.
    Existing(String),
}

/// Finds the credentials of this user for the deploy API at an address. It need not answer: setup may be what repairs it.
///
/// # Errors
/// If they cannot be read.
pub fn find(api: &str) -> Result<Administrator, Failure> {
    let Some(known) = credentials::of_api(api)? else {
        return Ok(Administrator::Unknown("this machine has no credentials for it"));
    };
    let is_rejected = Client::new(&known)
        .get::<WhoAmI>("/v1/whoami")
        .is_err_and(|failure| failure.is("AUTHENTICATION_FAILED"));
    Ok(if is_rejected {
        Administrator::Unknown("the token on this machine is not valid for it")
    } else {
        Administrator::Known(known)
    })
}

/// Creates the policy, unless there is one, and a token for its administrator, unless somebody uses one, and stores the token as
/// `dotdo login` does. The bootstrap secret is removed at the end, also after a failure.
///
/// # Errors
/// If the deploy API or Cloudflare refuses it, or the deploy API does not answer in time.
pub fn create(cloudflare: &Cloudflare, api: &str, subject: &Subject) -> Result<Created, Failure> {
    let secret = deploy::random()?;
    deploy::set_secret(cloudflare, BOOTSTRAP, &secret)?;
    let created = with_bootstrap(api, subject, secret);
    let removed = deploy::remove_secret(cloudflare, BOOTSTRAP);
    let created = created?;
    removed?;
    Ok(created)
}

fn with_bootstrap(api: &str, subject: &Subject, secret: SecretString) -> Result<Created, Failure> {
    let client = Client::new(&Credentials {
        api: api.to_owned(),
        token: secret,
        source: Source::Bootstrap,
    });
    let all = || GrantDocument {
        namespaces: Environment::ALL
            .iter()
            .map(|environment| environment.namespace().to_owned())
            .collect(),
        workers: vec!["*".to_owned()],
        actions: Action::ALL.to_vec(),
    };
    if has_policy(&client)? {
        let tokens: Answer<Vec<TokenRecord>> = client.items("/v1/tokens", &[], None)?;
        let now = Timestamp::now();
        if let Some(token) = tokens.value.iter().find(|token| is_in_use(token, now)) {
            return Ok(Created::Existing(token.id.to_string()));
        }
    } else {
        let GrantDocument {
            namespaces,
            workers,
            actions,
        } = all();
        let rule = json!({
            "name": "administrators", "who": { "token": [subject] }, "namespaces": namespaces, "workers": workers, "actions": actions,
        });
        let document = json!({ "version": 1, "rules": [rule] }).to_string();
        let _: Answer<PolicyChange<ChangeSentences>> = client.replace("/v1/policy", document, 0)?;
    }
    let request = TokenRequest {
        subject: subject.clone(),
        grants: vec![all()],
        expires: Timestamp::now()
            .saturating_add(LIFETIME)
            .unwrap_or(Timestamp::MAX),
    };
    let answer: Answer<ApiToken<'static>> = client.send(&Method::POST, "/v1/tokens", &request)?;
    let ApiToken { token, warnings, .. } = answer.value;
    let file = credentials::stored_file()?;
    let credentials = Credentials {
        api: api.to_owned(),
        token: token.into_owned().into(),
        source: Source::Stored(file.clone()),
    };
    credentials::store(&file, &credentials.api, &credentials.token)?;
    Ok(Created::Token(credentials, warnings))
}

/// Whether there is a policy. Waits until the deploy API serves with the bootstrap secret.
fn has_policy(client: &Client) -> Result<bool, Failure> {
    propagated(
        |failure| failure.is("AUTHENTICATION_FAILED"),
        || match client.get::<Value>("/v1/policy") {
            Ok(_) => Ok(true),
            Err(failure) if failure.is("POLICY_VERSION_UNKNOWN") => Ok(false),
            Err(failure) => Err(failure),
        },
    )
}

/// The result of a call after a change of the Worker or of its secrets: waits while the deploy API does not answer, or answers as before
/// the change.
///
/// # Errors
/// The failure of the call, if it lasts.
pub fn propagated<T>(
    is_earlier: impl Fn(&Failure) -> bool,
    call: impl Fn() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let begin = Instant::now();
    loop {
        match call() {
            Err(failure)
                if begin.elapsed() < PROPAGATION
                    && (failure.exit() == Exit::Unreachable
                        || failure.is("MISCONFIGURED")
                        || is_earlier(&failure)) =>
            {
                thread::sleep(PAUSE);
            }
            other => return other,
        }
    }
}

/// Whether somebody administers the platform with this token.
fn is_in_use(token: &TokenRecord, now: Timestamp) -> bool {
    let may_administer = token
        .grants
        .iter()
        .any(|grant| grant.actions().contains(&Action::Admin));
    may_administer && token.last_used.is_some() && token.revoked.is_none() && token.expires > now
}
