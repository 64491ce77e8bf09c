//! `dotdo tokens`.

use clap::{Args, Subcommand, ValueEnum};
use deploy_api::v1::types::{Action, ApiToken, GrantDocument, Subject, TokenRecord, TokenRequest};
use dotdo_names::{Environment, Namespace};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;
use ureq::http::Method;

use super::login::columns;
use super::policy;
use crate::arguments;
use crate::client::Answer;
use crate::confirm::Confirmation;
use crate::failure::{Exit, Failure};
use crate::progress;
use crate::session::{Session, who};
use crate::table::{Table, Tone, Value};
use crate::times;

/// How long a new token is valid by default.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(24 * 180);

/// A command about tokens.
#[derive(Debug, Subcommand)]
pub enum TokensCommand {
    /// List the stored tokens, without the tokens themselves
    #[command(after_help = "JSON: {\"items\": […]}; the items are those of GET /v1/tokens.")]
    List {
        /// Only tokens of this kind
        #[arg(long)]
        kind: Option<Kind>,
        /// Also tokens that expired or were revoked
        #[arg(long)]
        all: bool,
    },
    /// Create an API token for a person or another CI; it is shown once
    #[command(
        after_help = "JSON: the response of POST /v1/tokens. Without --json, the standard output has only the token."
    )]
    Create(CreateArguments),
    /// Revoke a token immediately and permanently
    #[command(after_help = "JSON: the response of DELETE /v1/tokens/{token}.")]
    Revoke {
        /// The id of the token; `self` for the one that this command uses
        id: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// A kind of tokens.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Kind {
    /// API tokens
    Api,
    /// Deploy tokens of GitHub runs
    Deploy,
}

/// The arguments of `dotdo tokens create`.
#[derive(Args, Debug)]
pub struct CreateArguments {
    /// The person or the system that gets the token, as rules of the policy name it
    #[arg(value_parser = policy::subject)]
    subject: Subject,
    /// The environments, or account for the Workers of the platform; can be repeated; default: all environments
    #[arg(long = "env", value_name = "ENV", value_parser = arguments::namespace())]
    namespaces: Vec<Namespace>,
    /// The Workers: a name, prefix-* or *; can be repeated
    #[arg(long = "worker", value_name = "PATTERN", default_value = "*")]
    workers: Vec<String>,
    /// The allowed actions; can be repeated
    #[arg(long = "allow", value_name = "ACTION", required = true, value_parser = policy::action())]
    actions: Vec<Action>,
    /// The end: a duration from now such as 30d, a date or a time; default: 180 days
    #[arg(long, value_name = "TIME", value_parser = times::future)]
    expires: Option<Timestamp>,
}

/// Runs a command about tokens.
pub fn run(command: &TokensCommand, session: &Session) -> Result<Exit, Failure> {
    match command {
        TokensCommand::List { kind, all } => list(*kind, *all, session),
        TokensCommand::Create(arguments) => create(arguments, session),
        TokensCommand::Revoke { id, yes } => revoke(id, *yes, session),
    }?;
    Ok(Exit::Success)
}

fn list(kind: Option<Kind>, all: bool, session: &Session) -> Result<(), Failure> {
    let client = session.client()?;
    let kind = kind.map(|kind| match kind {
        Kind::Api => "api".to_owned(),
        Kind::Deploy => "deploy".to_owned(),
    });
    let answer: Answer<Vec<TokenRecord>> = progress::during("listing the tokens", || {
        client.items("/v1/tokens", &[("kind", kind)], None)
    })?;
    let now = Timestamp::now();
    let is_shown = |token: &TokenRecord| all || token.revoked.is_none() && token.expires > now;
    let items = answer
        .json
        .get("items")
        .and_then(Json::as_array)
        .into_iter()
        .flatten();
    let shown = items
        .zip(&answer.value)
        .filter(|(_, token)| is_shown(token))
        .map(|(item, _)| item);
    let json = serde_json::json!({ "items": shown.collect::<Vec<_>>() });
    session.output.either(&json, |output| {
        let mut table = Table::new(&[
            "id",
            "holder",
            "environments",
            "Workers",
            "actions",
            "used",
            "expires",
        ]);
        for token in answer.value.iter().filter(|token| is_shown(token)) {
            let grants: Vec<_> = token.grants.iter().map(columns).collect();
            let column = |index: usize| -> Value {
                let values: Vec<&str> = grants
                    .iter()
                    .filter_map(|grant| grant.get(index))
                    .map(String::as_str)
                    .collect();
                values.join("; ").into()
            };
            table.row([
                token.id.as_str().into(),
                who(&token.identity).into(),
                column(0),
                column(1),
                column(2),
                token
                    .last_used
                    .map_or_else(|| "never".to_owned(), |used| times::ago(used, now))
                    .into(),
                match token.revoked {
                    Some(revoked) => Tone::Bad.of(format!("revoked {}", times::ago(revoked, now))),
                    None if token.expires <= now => {
                        Tone::Dim.of(format!("expired {}", times::ago(token.expires, now)))
                    }
                    None => times::ago(token.expires, now).into(),
                },
            ]);
        }
        if table.is_empty() {
            return output.line("There are no such tokens.");
        }
        output.table(table)
    })
}

fn create(arguments: &CreateArguments, session: &Session) -> Result<(), Failure> {
    let client = session.client()?;
    let namespaces = match arguments.namespaces.as_slice() {
        [] => Environment::ALL.map(Namespace::Of).to_vec(),
        chosen => chosen.to_vec(),
    };
    let expires = arguments.expires.unwrap_or_else(|| {
        Timestamp::now()
            .saturating_add(LIFETIME)
            .unwrap_or(Timestamp::MAX)
    });
    let request = TokenRequest {
        subject: arguments.subject.clone(),
        grants: vec![GrantDocument {
            namespaces: namespaces
                .iter()
                .map(|namespace| namespace.name().to_owned())
                .collect(),
            workers: arguments.workers.clone(),
            actions: arguments.actions.clone(),
        }],
        expires,
    };
    let answer: Answer<ApiToken<'static>> = progress::during("creating the token", || {
        client.send(&Method::POST, "/v1/tokens", &request)
    })?;
    let token = &answer.value;
    for warning in &token.warnings {
        session.output.note(&format!("warning: {warning}"));
    }
    session.output.note(&format!(
        "Token {} of {}, expires {}. Only this output contains it:",
        token.id,
        token.subject,
        times::ago(token.expires, Timestamp::now())
    ));
    session
        .output
        .either(&answer.json, |output| output.line(&token.token))
}

fn revoke(id: &str, yes: bool, session: &Session) -> Result<(), Failure> {
    let is_segment = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_segment {
        return Err(Failure::usage(
            format!("{id:?} is not the id of a token"),
            "Type `dotdo tokens list` to list them.",
        ));
    }
    let client = session.client()?;
    Confirmation::of_platform(yes).ask(&format!("Revoke the token {id} permanently?"))?;
    let answer: Answer<TokenRecord> = progress::during("revoking the token", || {
        client.call(&Method::DELETE, &format!("/v1/tokens/{id}"))
    })?;
    let token = &answer.value;
    session.output.either(&answer.json, |output| {
        output.line(format!(
            "Revoked the token {} of {}.",
            token.id,
            who(&token.identity)
        ))
    })
}
