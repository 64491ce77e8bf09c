//! The address and the token of the deploy API: from variables, from the platform on this machine, or stored for this user.

mod address;
mod local_platform;
mod stored;

use std::env;
use std::fmt;
use std::path::PathBuf;

use secrecy::SecretString;

pub use address::{address, is_loopback};
pub use stored::{forget, store, stored, stored_file};

use crate::failure::Failure;
use local_platform::{is_running, of_local_platform};

/// The address and the token of the deploy API.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The address without a path: `https://deploy-api.example.workers.dev`.
    pub api: String,
    /// The token.
    pub token: SecretString,
    /// Where they were found.
    pub source: Source,
}

/// Where credentials were found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The variables `DOTDO_API` and `DOTDO_TOKEN`.
    Variables,
    /// A `.env` file that wrangler reads as well, of a platform that runs on this machine.
    LocalPlatform(PathBuf),
    /// The file that `dotdo login` writes.
    Stored(PathBuf),
    /// The bootstrap secret that `dotdo setup` set for this run.
    Bootstrap,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variables => f.write_str("the variables DOTDO_API and DOTDO_TOKEN"),
            Self::LocalPlatform(file) => write!(f, "{}, of the platform on this machine", file.display()),
            Self::Stored(file) => write!(f, "{}, by `dotdo login`", file.display()),
            Self::Bootstrap => f.write_str("the bootstrap secret of this run"),
        }
    }
}

/// Finds the credentials: the variables first, then the platform that runs on this machine, then those of `dotdo login`.
///
/// # Errors
/// If there are none, or those that were found cannot be used.
pub fn find() -> Result<Credentials, Failure> {
    if let Some(found) = of_variables(|name| env::var(name).ok())? {
        return Ok(found);
    }
    let folder = env::current_dir().unwrap_or_default();
    if let Some(found) = of_local_platform(&folder, is_running) {
        return Ok(found);
    }
    let file = stored_file()?;
    stored(&file)?.ok_or_else(|| {
        Failure::usage(
            "there are no credentials",
            "Type `dotdo login`, or set DOTDO_API and DOTDO_TOKEN. In a clone, none are needed while `npm run dev` runs.",
        )
    })
}

/// The credentials for one deploy API, in the variables or by `dotdo login`; `None` if there are none for its address.
///
/// # Errors
/// If those that were found cannot be used.
pub fn of_api(api: &str) -> Result<Option<Credentials>, Failure> {
    if let Some(found) = of_variables(|name| env::var(name).ok())?
        && found.api == api
    {
        return Ok(Some(found));
    }
    Ok(stored(&stored_file()?)?.filter(|found| found.api == api))
}

fn of_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Credentials>, Failure> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    match (set("DOTDO_API"), set("DOTDO_TOKEN")) {
        (None, None) => Ok(None),
        (Some(api), Some(token)) => Ok(Some(Credentials {
            api: address(&api)?,
            token: self::token(&token)?,
            source: Source::Variables,
        })),
        (Some(_), None) => Err(Failure::usage(
            "DOTDO_API is set and DOTDO_TOKEN is not",
            "Set both, or neither.",
        )),
        (None, Some(_)) => Err(Failure::usage(
            "DOTDO_TOKEN is set and DOTDO_API is not",
            "Set both, or neither.",
        )),
    }
}

/// A token as a person or a file writes it: spaces and line feeds around it are removed.
///
/// # Errors
/// If it cannot be a token. The error does not contain it.
pub fn token(text: &str) -> Result<SecretString, Failure> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(text.to_owned().into());
    }
    Err(Failure::usage(
        if text.is_empty() {
            "the token is empty"
        } else {
            "the token has spaces or characters that no token has"
        },
        "Copy the whole token, which begins with dotdo_. `dotdo login ADDRESS` asks for it, or reads it from the standard input.",
    ))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    const API: &str = "https://deploy-api.example.workers.dev";

    #[test]
    fn variables_are_used_together() {
        let of = |api: &'static str, token: &'static str| {
            of_variables(move |name| Some((if name == "DOTDO_API" { api } else { token }).to_owned()))
        };
        assert!(of("", "").unwrap().is_none());
        assert_eq!(of(API, "t").unwrap().unwrap().api, API);
        assert!(of(API, "").unwrap_err().text().contains("DOTDO_TOKEN is not"));
        assert!(of("", "t").unwrap_err().text().contains("DOTDO_API is not"));
        assert_eq!(of(API, " t\n").unwrap().unwrap().token.expose_secret(), "t");
        for token in [" \n", "secret one", "secret\none", "sécret"] {
            let error = of(API, token).unwrap_err().text();
            assert!(error.contains("the token") && !error.contains("cret"), "{error}");
        }
    }
}
