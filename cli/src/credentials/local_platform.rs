//! The credentials of the platform of `npm run dev` on this machine.

use std::fs;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::time::Duration;

use url::Url;

use super::address::address;
use super::{Credentials, Source};
use crate::clone;

/// How long a platform on this machine may take to accept a connection.
const LOCAL: Duration = Duration::from_millis(300);

/// The credentials that `npm run dev` writes for wrangler: in the folder of a Worker, or in the clone. `None` unless that platform
/// runs.
pub fn of_local_platform(folder: &Path, is_running: impl Fn(&Url) -> bool) -> Option<Credentials> {
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

/// Whether something accepts connections at an address.
pub fn is_running(api: &Url) -> bool {
    let (Some(host), Some(port)) = (api.host_str(), api.port_or_known_default()) else {
        return false;
    };
    let addresses = (host, port).to_socket_addrs().into_iter().flatten();
    addresses
        .into_iter()
        .any(|address| TcpStream::connect_timeout(&address, LOCAL).is_ok())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use tempfile::TempDir;

    use super::*;

    const API: &str = "https://deploy-api.example.workers.dev";

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
}
