//! Deploys a Worker of the platform as `npm run deploy` does, and sets its secrets.

use std::io::{self, Read, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use dotdo_names::ACCOUNT_ID;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};
use ureq::http::Method;
use wrangler_config::PlatformWorker;

use super::permission::{Permission, missing};
use super::resources::script;
use crate::cloudflare::Cloudflare;
use crate::failure::Failure;

/// The lines of wrangler's output that an error shows.
const LAST_LINES: usize = 25;

/// The code with which wrangler reports a missing permission: "Authentication error [code: 10000]".
const REFUSED: &str = "[code: 10000]";

/// 32 random bytes in hexadecimal.
///
/// # Errors
/// If the system has no random numbers.
pub fn random() -> Result<SecretString, Failure> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| {
        Failure::usage(
            format!("this system gives no random numbers: {error}"),
            "Correct that, and type the same command again.",
        )
    })?;
    let text = bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    Ok(text.into())
}

/// Builds and deploys a Worker with `npm run deploy`, whose output is shown only if it fails. The secrets go to wrangler through its
/// standard input, so that no argument and no file has them.
///
/// # Errors
/// If the configuration has a problem, the Worker does not build, or Cloudflare refuses it.
pub fn deploy(
    root: &Path,
    cloudflare: &Cloudflare,
    worker: PlatformWorker,
    secrets: &[(&'static str, SecretString)],
) -> Result<(), Failure> {
    let mut command = Command::new("sh");
    command
        .args(["xtask/run", "deploy", worker.argument()])
        .current_dir(root)
        .env("CLOUDFLARE_API_BASE_URL", cloudflare.base().as_str())
        .env("CLOUDFLARE_API_TOKEN", cloudflare.token().expose_secret())
        .env("CLOUDFLARE_ACCOUNT_ID", ACCOUNT_ID)
        .env("NO_COLOR", "1")
        .env_remove("CLOUDFLARE_API_KEY")
        .env_remove("CLOUDFLARE_EMAIL")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if !secrets.is_empty() {
        command.args(["--", "--secrets-file", "/dev/stdin"]);
    }
    let (succeeded, output) = run(command, &input(secrets)).map_err(|error| {
        Failure::usage(
            format!(
                "`npm run deploy {}` cannot be started: {error}",
                worker.argument()
            ),
            "Install what the README lists, and type the same command again.",
        )
    })?;
    if succeeded {
        return Ok(());
    }
    if output.contains(REFUSED) {
        // wrangler names the call in front of the refusal. It makes the routes of zones with their permission.
        let permission = if output.contains("/workers/routes") || output.contains("(/zones") {
            Permission::Routes
        } else {
            Permission::WorkersScripts
        };
        let refusal = output
            .lines()
            .find(|line| line.contains(REFUSED))
            .unwrap_or(REFUSED);
        return Err(missing(&[(permission, format!("wrangler: {}", refusal.trim()))]));
    }
    Err(Failure::refused(
        format!(
            "{} was not deployed; the end of the output of `npm run deploy {}`:\n{}",
            worker.title(),
            worker.argument(),
            last_lines(&redacted(output, cloudflare.token(), secrets))
        ),
        "Correct what it says, and type the same command again: it continues with what is missing.",
    ))
}

/// Sets a secret of the deploy API. It is part of the body, and never logged.
///
/// # Errors
/// The refusal of Cloudflare.
pub fn set_secret(cloudflare: &Cloudflare, name: &str, value: &SecretString) -> Result<(), Failure> {
    let body = json!({ "name": name, "text": value.expose_secret(), "type": "secret_text" });
    cloudflare
        .send::<Value>(Method::PUT, &script(PlatformWorker::DeployApi, "/secrets"), &body)
        .map(|_| ())
        .map_err(|error| Permission::WorkersScripts.failure(&error))
}

/// Removes a secret of the deploy API. It need not exist.
///
/// # Errors
/// The refusal of Cloudflare.
pub fn remove_secret(cloudflare: &Cloudflare, name: &str) -> Result<(), Failure> {
    match cloudflare.delete(&script(PlatformWorker::DeployApi, &format!("/secrets/{name}"))) {
        Err(error) if !error.is_not_found() => Err(Permission::WorkersScripts.failure(&error)),
        _ => Ok(()),
    }
}

/// The secrets as JSON, as wrangler reads them.
fn input(secrets: &[(&'static str, SecretString)]) -> String {
    if secrets.is_empty() {
        return String::new();
    }
    let members: Map<String, Value> = secrets
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value.expose_secret())))
        .collect();
    Value::Object(members).to_string()
}

/// Runs a command, and returns whether it succeeded and what it wrote.
fn run(mut command: Command, input: &str) -> io::Result<(bool, String)> {
    let mut child = command.spawn()?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    thread::scope(|scope| {
        let errors = scope.spawn(move || text_of(stderr));
        let output = scope.spawn(move || text_of(stdout));
        if let Some(mut stdin) = stdin {
            // A program that fails at once reads nothing.
            let _ = stdin.write_all(input.as_bytes());
        }
        let status = child.wait()?;
        let text = output.join().unwrap_or_default() + &errors.join().unwrap_or_default();
        Ok((status.success(), text))
    })
}

fn text_of(stream: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut stream) = stream {
        // What was read until an error is shown.
        let _ = stream.read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// wrangler does not write secrets. If a later version does, they are not passed on.
fn redacted(output: String, token: &SecretString, secrets: &[(&'static str, SecretString)]) -> String {
    std::iter::once(token)
        .chain(secrets.iter().map(|(_, secret)| secret))
        .fold(output, |output, secret| {
            output.replace(secret.expose_secret(), "[secret]")
        })
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let first = lines.len().saturating_sub(LAST_LINES);
    lines.get(first..).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_of_a_failed_deploy_has_no_secret() {
        let secrets = [("UPLOAD_KEY", SecretString::from("0123".to_owned()))];
        let text = redacted("a 0123 b tok c".to_owned(), &"tok".to_owned().into(), &secrets);
        assert_eq!(text, "a [secret] b [secret] c");
        assert_eq!(input(&secrets), r#"{"UPLOAD_KEY":"0123"}"#);
        assert_eq!(input(&[]), "");
    }

    #[test]
    fn generated_secrets_differ() {
        let (one, other) = (random().unwrap(), random().unwrap());
        assert_eq!(one.expose_secret().len(), 64);
        assert_ne!(one.expose_secret(), other.expose_secret());
    }

    #[test]
    fn a_command_gets_its_input_and_returns_its_output() {
        let mut command = Command::new("sh");
        command
            .args(["-c", "cat; echo wrong >&2; exit 1"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let (succeeded, output) = run(command, "input\n").unwrap();
        assert!(!succeeded);
        assert_eq!(output, "input\nwrong\n");
        assert_eq!(last_lines(&"line\n".repeat(100)).lines().count(), LAST_LINES);
    }
}
