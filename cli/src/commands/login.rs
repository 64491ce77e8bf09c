//! `dotdo login`, `logout` and `whoami`.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use clap::Args;
use deploy_api::v1::types::{Grant, Identity, WhoAmI};
use jiff::Timestamp;
use serde_json::json;

use crate::client::{Answer, Client};
use crate::credentials::{self, Credentials, Source};
use crate::failure::{Exit, Failure};
use crate::progress;
use crate::session::Session;
use crate::table::Table;
use crate::times;

/// The arguments of `dotdo login`.
#[derive(Args, Debug)]
#[command(after_help = "JSON: the response of GET /v1/whoami, with the members `api` and `source`.")]
pub struct LoginArguments {
    /// The address of the deploy API; asked for if it is missing
    #[arg(value_name = "API")]
    api: Option<String>,
}

/// Asks for the token, checks it, and stores it with the address. Without a terminal, the token is the first line of the input.
pub fn login(arguments: &LoginArguments, session: &Session) -> Result<Exit, Failure> {
    let is_terminal = io::stdin().is_terminal();
    let api = match &arguments.api {
        Some(api) => credentials::address(api)?,
        None if is_terminal => credentials::address(&ask("Address of the deploy API: ")?)?,
        None => {
            return Err(Failure::usage(
                "the address of the deploy API is missing",
                "Type `dotdo login https://deploy-api.example.workers.dev < FILE`; the file has the token.",
            ));
        }
    };
    let token = if is_terminal {
        rpassword::prompt_password("Token (not shown): ")?
    } else {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        line
    };
    let token = credentials::token(&token)?;
    let file = credentials::stored_file()?;
    let credentials = Credentials {
        api,
        token,
        source: Source::Stored(file.clone()),
    };
    let answer = ask_api(&credentials)?;
    credentials::store(&file, &credentials.api, &credentials.token)?;
    show(session, &credentials, &answer)?;
    Ok(Exit::Success)
}

fn ask(question: &str) -> Result<String, Failure> {
    let mut stderr = io::stderr();
    write!(stderr, "{question}")?;
    stderr.flush()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

/// Removes the stored credentials. The token stays valid.
pub fn logout(session: &Session) -> Result<Exit, Failure> {
    let file = credentials::stored_file()?;
    let removed = credentials::forget(&file)?;
    session.output.either(&json!({ "removed": removed }), |output| {
        output.line(if removed {
            format!(
                "Removed {}. The token stays valid: `dotdo tokens revoke` ends it.",
                file.display()
            )
        } else {
            "There was no stored token.".to_owned()
        })
    })?;
    Ok(Exit::Success)
}

/// Shows the caller and the rules that apply.
pub fn whoami(session: &Session) -> Result<Exit, Failure> {
    let credentials = credentials::find()?;
    let answer = ask_api(&credentials)?;
    show(session, &credentials, &answer)?;
    Ok(Exit::Success)
}

fn ask_api(credentials: &Credentials) -> Result<Answer<WhoAmI>, Failure> {
    progress::during("asking who you are", || {
        Client::new(credentials).get("/v1/whoami")
    })
}

fn show(session: &Session, credentials: &Credentials, answer: &Answer<WhoAmI>) -> Result<(), Failure> {
    let mut json = answer.json.clone();
    if let Some(members) = json.as_object_mut() {
        members.insert("api".to_owned(), json!(credentials.api));
        members.insert("source".to_owned(), json!(credentials.source.to_string()));
    }
    session.output.either(&json, |output| {
        let WhoAmI {
            identity,
            token,
            policy_version,
            rules,
            ..
        } = &answer.value;
        let mut properties = Table::properties();
        properties.property("you are", crate::table::Value::from(identity.to_string()));
        properties.property("API", crate::table::Value::from(credentials.api.as_str()));
        properties.property(
            "credentials",
            crate::table::Value::from(credentials.source.to_string()),
        );
        let validity = token.as_ref().map(|token| {
            let expiry = times::expiry(token.expires, Timestamp::now());
            crate::table::Value::from(format!("{}, {expiry}", token.id))
        });
        properties.property("token", validity);
        properties.property(
            "policy",
            crate::table::Value::from(format!("version {policy_version}")),
        );
        output.table(properties)?;
        if *identity == Identity::BootstrapAdministrator {
            return output.line("\nThe bootstrap secret may read and administer, but not deploy.");
        }
        if rules.is_empty() {
            return output.line(
                "\nNo rule of the policy applies to you, so you may do nothing. Ask an administrator.",
            );
        }
        let mut table = Table::new(&["rule", "environments", "Workers", "actions"]);
        for applied in rules {
            let [environments, workers, actions] = columns(&applied.grant);
            table.row([
                applied.rule.to_string().into(),
                environments.into(),
                workers.into(),
                actions.into(),
            ]);
        }
        output.line("")?;
        output.table(table)?;
        let limits = token
            .as_ref()
            .map(|token| token.grants.as_slice())
            .unwrap_or_default();
        let is_narrower = |grant: &&Grant| !rules.iter().any(|applied| applied.grant == **grant);
        let narrower: Vec<&Grant> = limits.iter().filter(is_narrower).collect();
        if !narrower.is_empty() {
            let mut table = Table::new(&["the token is limited to", "Workers", "actions"]);
            for grant in limits {
                let [environments, workers, actions] = columns(grant);
                table.row([environments.into(), workers.into(), actions.into()]);
            }
            output.line("")?;
            output.table(table)?;
        }
        Ok(())
    })
}

/// The environments, the Workers and the actions of a grant.
pub fn columns(grant: &Grant) -> [String; 3] {
    let environments: Vec<_> = grant
        .namespaces()
        .iter()
        .map(|namespace| namespace.short_name())
        .collect();
    let workers: Vec<_> = grant.workers().iter().map(ToString::to_string).collect();
    let actions: Vec<_> = grant.actions().iter().map(|action| action.name()).collect();
    [environments.join(", "), workers.join(", "), actions.join(", ")]
}
