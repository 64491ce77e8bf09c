//! The address and the token of the deploy API: from variables, from the platform on this machine, or stored for this user.

use std::env;
use std::fmt;
use std::fs;
use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::clone;
use crate::failure::Failure;
use crate::private_file;

/// The path below the address that wrangler uses, and this program does not.
const WRANGLER_PATH: &str = "/client/v4";

/// How long a platform on this machine may take to accept a connection.
const LOCAL: Duration = Duration::from_millis(300);

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

/// The stored file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    api: String,
    token: String,
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

/// The credentials that `npm run dev` writes for wrangler: in the folder of a Worker, or in the clone. `None` unless that platform
/// runs.
fn of_local_platform(folder: &Path, is_running: impl Fn(&Url) -> bool) -> Option<Credentials> {
    let in_clone = clone::root(folder).map(|root| root.join("examples/hello/.env"));
    let files = std::iter::once(folder.join(".env")).chain(in_clone);
    files.into_iter().find_map(|file| {
        let text = fs::read_to_string(&file).ok()?;
        let value = |name: &str| {
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?;
            Some(line.trim().trim_matches('"').to_owned())
        };
        let api = address(&value("CLOUDFLARE_API_BASE_URL")?).ok()?;
        let is_local = matches!(Url::parse(&api).ok()?.host_str()?, "localhost" | "127.0.0.1");
        if !is_local || !is_running(&Url::parse(&api).ok()?) {
            return None;
        }
        Some(Credentials {
            api,
            token: value("CLOUDFLARE_API_TOKEN")?.into(),
            source: Source::LocalPlatform(file),
        })
    })
}

fn is_running(api: &Url) -> bool {
    let (Some(host), Some(port)) = (api.host_str(), api.port_or_known_default()) else {
        return false;
    };
    let addresses = (host, port).to_socket_addrs().into_iter().flatten();
    addresses
        .into_iter()
        .any(|address| TcpStream::connect_timeout(&address, LOCAL).is_ok())
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

/// The address of a deploy API without a path. The path that wrangler needs is accepted and removed.
///
/// # Errors
/// If it is not the address of an HTTP server.
pub fn address(text: &str) -> Result<String, Failure> {
    let wrong = |reason: &str| {
        Failure::usage(
            format!("{text:?} is not the address of a deploy API: {reason}"),
            "Write one such as https://deploy-api.example.workers.dev.",
        )
    };
    let url = Url::parse(text.trim()).map_err(|error| wrong(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wrong("it must begin with https:// or http://"));
    }
    let is_local = url.host_str().is_some_and(is_loopback);
    if url.scheme() == "http" && !is_local {
        return Err(wrong("the token would be sent without TLS"));
    }
    if !url.username().is_empty() || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it has more than a host and a port"));
    }
    match url.path().trim_end_matches('/') {
        "" | WRANGLER_PATH => Ok(url.origin().ascii_serialization()),
        _ => Err(wrong("it has a path")),
    }
}

/// Whether a host is this machine. Names below `localhost` always are: RFC 6761.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]") || host.ends_with(".localhost")
}

/// The file of `dotdo login`: `$XDG_CONFIG_HOME/dotdo/credentials.json`, or below `~/.config`.
///
/// # Errors
/// If there is no home folder.
pub fn stored_file() -> Result<PathBuf, Failure> {
    let set = |name: &str| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let folder = set("XDG_CONFIG_HOME").or_else(|| env::home_dir().map(|home| home.join(".config")));
    folder
        .map(|folder| folder.join("dotdo/credentials.json"))
        .ok_or_else(|| Failure::usage("there is no home folder", "Set DOTDO_API and DOTDO_TOKEN."))
}

/// The stored credentials; `None` if there are none.
///
/// # Errors
/// If others can read the file, or it is damaged.
pub fn stored(file: &Path) -> Result<Option<Credentials>, Failure> {
    let metadata = match fs::metadata(file) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(file, &error)),
    };
    if private_file::is_readable_by_others(&metadata) {
        return Err(Failure::usage(
            format!("other users of this machine can read {}", file.display()),
            format!(
                "Type `chmod 600 {}`, and revoke the token if others use this machine.",
                file.display()
            ),
        ));
    }
    let text = fs::read_to_string(file).map_err(|error| unreadable(file, &error))?;
    let document: Document = serde_json::from_str(&text).map_err(|error| unreadable(file, &error))?;
    Ok(Some(Credentials {
        api: address(&document.api)?,
        token: document.token.into(),
        source: Source::Stored(file.to_owned()),
    }))
}

fn unreadable(file: &Path, error: &dyn fmt::Display) -> Failure {
    Failure::usage(
        format!("{} cannot be read: {error}", file.display()),
        "Type `dotdo login` to write it again.",
    )
}

/// Stores credentials for this user only. The file is replaced as a whole, so that a program that is killed leaves the old or the new
/// one.
///
/// # Errors
/// If the file cannot be written.
pub fn store(file: &Path, api: &str, token: &SecretString) -> Result<(), Failure> {
    let document = Document {
        api: api.to_owned(),
        token: token.expose_secret().to_owned(),
    };
    private_file::write(file, &serde_json::to_string_pretty(&document).unwrap_or_default()).map_err(|error| {
        Failure::usage(
            format!("{} cannot be written: {error}", file.display()),
            "Set DOTDO_API and DOTDO_TOKEN instead.",
        )
    })
}

/// Removes the stored credentials. Returns whether there were any.
///
/// # Errors
/// If the file cannot be removed.
pub fn forget(file: &Path) -> Result<bool, Failure> {
    match fs::remove_file(file) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Failure::usage(
            format!("{} cannot be removed: {error}", file.display()),
            "Remove it yourself.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use tempfile::TempDir;

    use super::*;

    const API: &str = "https://deploy-api.example.workers.dev";

    #[test]
    fn stored_credentials_are_private_and_replaced_as_a_whole() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("config/dotdo/credentials.json");
        assert!(stored(&file).unwrap().is_none());
        for token in ["dotdo_api_1", "dotdo_api_2"] {
            store(&file, API, &token.into()).unwrap();
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&file), 0o600);
            assert_eq!(mode(file.parent().unwrap()), 0o700);
            let found = stored(&file).unwrap().unwrap();
            assert_eq!((found.api.as_str(), found.token.expose_secret()), (API, token));
        }
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
        assert!(forget(&file).unwrap());
        assert!(!forget(&file).unwrap());
    }

    #[test]
    fn a_file_that_others_can_read_is_not_used() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("credentials.json");
        store(&file, API, &"dotdo_api_1".into()).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let error = stored(&file).unwrap_err().text();
        assert!(error.contains("chmod 600"), "{error}");
        assert!(!error.contains("dotdo_api_1"), "{error}");
    }

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

    #[test]
    fn the_running_platform_of_a_clone_needs_no_login() {
        let clone = TempDir::new().unwrap();
        for file in ["dotdo.jsonc", "wrangler.jsonc"] {
            fs::write(clone.path().join(file), "{}").unwrap();
        }
        let example = clone.path().join("examples/hello");
        fs::create_dir_all(&example).unwrap();
        let text =
            "CLOUDFLARE_API_BASE_URL=http://localhost:8787/client/v4\nCLOUDFLARE_API_TOKEN=dotdo_api_1\n";
        fs::write(example.join(".env"), text).unwrap();
        for folder in [clone.path(), example.as_path()] {
            let found = of_local_platform(folder, |url| url.port() == Some(8787)).unwrap();
            assert_eq!(found.api, "http://localhost:8787");
            assert_eq!(found.token.expose_secret(), "dotdo_api_1");
            assert!(of_local_platform(folder, |_| false).is_none());
        }
        // The `.env` of a platform on Cloudflare is wrangler's, and not that of a platform on this machine.
        fs::write(example.join(".env"), text.replace("http://localhost:8787", API)).unwrap();
        assert!(of_local_platform(&example, |_| true).is_none());
    }

    #[test]
    fn an_address_has_no_path_and_no_plain_http_over_a_network() {
        assert_eq!(address(&format!("{API}/")).unwrap(), API);
        assert_eq!(address(&format!("{API}/client/v4")).unwrap(), API);
        for local in ["http://127.0.0.1:9000", "http://api.workers.dev.localhost:9000"] {
            assert_eq!(address(local).unwrap(), local);
        }
        for text in [
            "deploy-api",
            "ftp://a.example",
            "http://a.example",
            "https://a.example/v1",
            "https://u@a.example",
        ] {
            assert!(address(text).is_err(), "{text}");
        }
    }
}
