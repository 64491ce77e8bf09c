//! Sign-up with better-auth, and queries of drizzle-orm, on D1.

use std::fs;

use anyhow::{Context, Result};
use dotdo_names::Environment::{self, Production, Staging};
use end_to_end::Answer;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::project::{Project, answer};

const ACCOUNTS: Project = Project::new("accounts").with_environments();

/// Calls a function of better-auth as a page of the application does, and returns the response.
async fn authenticate(environment: Environment, function: &str, body: Value, status: u16) -> Result<Answer> {
    let path = format!("/api/auth/{function}");
    let request = ACCOUNTS
        .request(environment, Method::POST, &path)
        .header("Origin", format!("http://{}", ACCOUNTS.host(environment)))
        .json(&body);
    answer(request, status).await
}

/// The session's cookie in a response.
fn cookie(answer: &Answer) -> Result<String> {
    let (cookie, _) = answer.header("set-cookie").split_once(';').context("no cookie")?;
    Ok(cookie.to_owned())
}

/// Who signs up, with a password that only the tests know.
fn person(name: &str) -> Value {
    json!({ "name": name, "email": format!("{name}@example.com"), "password": "correct horse battery" })
}

/// The notes of the user of a session.
async fn notes(environment: Environment, cookie: &str) -> Result<Value> {
    let request = ACCOUNTS.request(environment, Method::GET, "/notes");
    Ok(answer(request.header("Cookie", cookie), 200).await?.json())
}

/// Adds a note of the user of a session.
async fn add_note(environment: Environment, cookie: &str, text: &str) -> Result<Value> {
    let request = ACCOUNTS.request(environment, Method::POST, "/notes");
    let request = request.header("Cookie", cookie).json(&json!({ "text": text }));
    Ok(answer(request, 201).await?.json())
}

async fn deploy(environment: Environment) -> Result<()> {
    let folder = TempDir::with_prefix("dotdo-secrets-")?;
    let secrets = folder.path().join("secrets.env");
    fs::write(&secrets, "BETTER_AUTH_SECRET=0123456789abcdef0123456789abcdef\n")?;
    let secrets = secrets.display().to_string();
    ACCOUNTS.deploy(environment, &["--secrets-file", &secrets]).await
}

#[end_to_end::test]
async fn people_sign_up_and_keep_their_notes_across_deploys() -> Result<()> {
    for (environment, database) in [(Production, "accounts"), (Staging, "accounts-staging")] {
        let migrate = ["d1", "migrations", "apply", database, "--remote"];
        ACCOUNTS.change_data(environment, &migrate).await?;
        deploy(environment).await?;
    }
    answer(ACCOUNTS.request(Production, Method::GET, "/notes"), 401).await?;

    let ada = cookie(&authenticate(Production, "sign-up/email", person("ada"), 200).await?)?;
    let created = add_note(Production, &ada, "Buy milk").await?;
    assert_eq!(
        (&created["id"], &created["text"]),
        (&json!(1), &json!("Buy milk"))
    );
    // The address is unique in the table.
    let again = authenticate(Production, "sign-up/email", person("ada"), 422).await?;
    assert_eq!(again.json()["code"], "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL");
    // Another person has other notes.
    let bob = cookie(&authenticate(Production, "sign-up/email", person("bob"), 200).await?)?;
    assert_eq!(notes(Production, &bob).await?, json!([]));

    deploy(Production).await?;
    add_note(Production, &ada, "Buy bread").await?;
    let expected = json!(["Buy milk", "Buy bread"]);
    assert_eq!(notes(Production, &ada).await?, expected);
    let mut login = person("ada");
    let signed_in = cookie(&authenticate(Production, "sign-in/email", login.clone(), 200).await?)?;
    assert_ne!(signed_in, ada);
    assert_eq!(notes(Production, &signed_in).await?, expected);
    login["password"] = json!("wrong horse battery");
    authenticate(Production, "sign-in/email", login, 401).await?;
    assert_eq!(
        ACCOUNTS.get(Production, "/statistics").await?.json(),
        json!({ "users": 2, "byUser": [{ "name": "ada", "notes": 2 }, { "name": "bob", "notes": 0 }] })
    );
    // The database of the other environment has none of it.
    let nobody = json!({ "users": 0, "byUser": [] });
    assert_eq!(ACCOUNTS.get(Staging, "/statistics").await?.json(), nobody);
    answer(
        ACCOUNTS
            .request(Staging, Method::GET, "/notes")
            .header("Cookie", &ada),
        401,
    )
    .await?;
    Ok(())
}
