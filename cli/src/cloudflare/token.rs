//! The token of Cloudflare's API. It is never an argument, because other users of the machine can see those.

use std::env;
use std::fs;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use clap::Args;
use secrecy::SecretString;

use crate::failure::Failure;
use crate::private_file::is_readable_by_others;

/// The variable with the token, which wrangler reads as well.
const VARIABLE: &str = "CLOUDFLARE_API_TOKEN";

/// How the tokens of the deploy API begin, which Cloudflare does not know.
const OF_DEPLOY_API: &str = "dotdo_";

/// The most bytes of a file with a token that are read.
const LONGEST: u64 = 4096;

/// Where the token of Cloudflare's API is.
#[derive(Args, Clone, Debug)]
pub struct TokenArguments {
    /// A file with the token of Cloudflare's API, or `-` for the input; default: the variable `CLOUDFLARE_API_TOKEN`, or a question
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
}

impl TokenArguments {
    /// The token in the file or in the variable; `None` if neither is given.
    ///
    /// # Errors
    /// If the file cannot be read, others can read it, or the text is not a token.
    pub fn given(&self) -> Result<Option<SecretString>, Failure> {
        match &self.token_file {
            Some(file) => read(file).map(Some),
            None => match env::var(VARIABLE).ok().filter(|token| !token.is_empty()) {
                Some(token) => parse(&token, VARIABLE).map(Some),
                None => Ok(None),
            },
        }
    }

    /// The token in the file or in the variable, or the one that the person at the terminal types.
    ///
    /// # Errors
    /// If there is none, or the text is not a token.
    pub fn find(&self) -> Result<SecretString, Failure> {
        if let Some(token) = self.given()? {
            return Ok(token);
        }
        if !io::stdin().is_terminal() {
            return Err(Failure::usage(
                "the token of Cloudflare's API is missing",
                format!("Set {VARIABLE}, or add --token-file FILE."),
            ));
        }
        let token = rpassword::prompt_password("Token of Cloudflare's API (not shown): ")?;
        parse(&token, "the typed text")
    }
}

fn read(file: &Path) -> Result<SecretString, Failure> {
    let unreadable = |error: io::Error| {
        Failure::usage(
            format!("{} cannot be read: {error}", file.display()),
            "Correct --token-file.",
        )
    };
    let mut text = String::new();
    if file == Path::new("-") {
        io::stdin()
            .take(LONGEST)
            .read_to_string(&mut text)
            .map_err(unreadable)?;
        return parse(&text, "the input");
    }
    let opened = fs::File::open(file).map_err(unreadable)?;
    let metadata = opened.metadata().map_err(unreadable)?;
    if metadata.is_file() && is_readable_by_others(&metadata) {
        return Err(Failure::usage(
            format!("other users of this machine can read {}", file.display()),
            format!(
                "Type `chmod 600 {}`, and roll the token if others use this machine.",
                file.display()
            ),
        ));
    }
    opened
        .take(LONGEST)
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    parse(&text, &file.display().to_string())
}

/// Checks that a text can be a token, without repeating it in an error.
fn parse(text: &str, source: &str) -> Result<SecretString, Failure> {
    let token = text.trim();
    if token.starts_with(OF_DEPLOY_API) {
        return Err(Failure::usage(
            format!("{source} has a token of the deploy API"),
            "Give a token of Cloudflare's API: dash.cloudflare.com, My Profile, API Tokens, Create Token.",
        ));
    }
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Failure::usage(
            format!("{source} has no token of Cloudflare's API: it must be one word"),
            "Copy the token from dash.cloudflare.com, My Profile, API Tokens, Create Token.",
        ));
    }
    Ok(token.to_owned().into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use secrecy::ExposeSecret as _;
    use tempfile::TempDir;

    use super::*;

    fn of_file(text: &str, mode: u32) -> Result<String, String> {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("token");
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let arguments = TokenArguments {
            token_file: Some(file),
        };
        match arguments.given() {
            Ok(token) => Ok(token.unwrap().expose_secret().to_owned()),
            Err(failure) => Err(failure.text()),
        }
    }

    #[test]
    fn a_private_file_has_the_token() {
        assert_eq!(of_file("cf-token_1\n", 0o600).unwrap(), "cf-token_1");
        let readable = of_file("cf-token_1\n", 0o644).unwrap_err();
        assert!(readable.contains("chmod 600"), "{readable}");
        assert!(!readable.contains("cf-token_1"), "{readable}");
    }

    #[test]
    fn a_text_that_is_not_a_token_is_not_repeated() {
        for text in ["dotdo_api_1", "two words", "", "\u{e9}t\u{e9}"] {
            let failure = of_file(text, 0o600).unwrap_err();
            assert!(failure.contains("dash.cloudflare.com"), "{failure}");
            assert!(text.is_empty() || !failure.contains(text), "{failure}");
        }
    }
}
