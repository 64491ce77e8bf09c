//! Which requests ask for a path below `/cdn-cgi/`.
//!
//! On Cloudflare, these paths never reach a Worker. In `wrangler dev`, they lead to the runtime's own functions, some of which
//! read stored data without a credential, so the platform's port refuses them.

use percent_encoding::percent_decode_str;
use url::Url;

/// The first segment of the reserved paths.
const RESERVED: &str = "cdn-cgi";

/// How many times a path may be percent-encoded. A path that is encoded more often counts as reserved.
const ENCODINGS: usize = 4;

/// Whether the path of a request is `/cdn-cgi` or below it, for any program that can read the request: as an absolute URL, as a
/// path of one of its hosts, with `.` and `..` resolved, and with percent-encoding decoded.
///
/// `target` is the second part of the request line, and `hosts` are the values of its `Host` headers.
pub fn is_reserved(target: &str, hosts: &[String]) -> bool {
    let absolute = Url::parse(target);
    let of_hosts = hosts
        .iter()
        .map(String::as_str)
        .chain(["localhost"])
        .map(|host| Url::parse(&format!("http://{host}{target}")));
    std::iter::once(absolute)
        .chain(of_hosts)
        .flatten()
        .any(|url| is_reserved_path(url.path()))
}

fn is_reserved_path(path: &str) -> bool {
    let mut path = path.to_owned();
    for _ in 0..ENCODINGS {
        let first = path.split(['/', '\\']).find(|segment| !segment.is_empty());
        if first.is_some_and(|first| first.eq_ignore_ascii_case(RESERVED)) {
            return true;
        }
        let decoded = percent_decode_str(&path).decode_utf8_lossy().into_owned();
        // The parser resolves dot segments, which decoding can reveal.
        let next = match Url::parse("http://localhost/") {
            Ok(mut url) => {
                url.set_path(&decoded);
                url.path().to_owned()
            }
            Err(_) => return true,
        };
        if next == path {
            return false;
        }
        path = next;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reserved(target: &str) -> bool {
        is_reserved(target, &["hello.localhost:8787".to_owned()])
    }

    #[test]
    fn every_spelling_of_a_reserved_path_is_reserved() {
        for target in [
            "/cdn-cgi",
            "/cdn-cgi/",
            "/cdn-cgi?a",
            "/cdn-cgi#a",
            "/cdn-cgi/local/explorer/api",
            "/CDN-cgi/local",
            "//cdn-cgi/local",
            "///cdn-cgi",
            "/./cdn-cgi/local",
            "/a/../cdn-cgi/local",
            "/a/%2e%2E/cdn-cgi/local",
            "/a/.%2e/cdn-cgi/local",
            "/%2e/cdn-cgi",
            "\\cdn-cgi\\local",
            "/\\cdn-cgi/local",
            "/a\\..\\cdn-cgi",
            "/%63dn-cgi/local",
            "/cdn%2dcgi/local",
            "/%2563dn-cgi/local",
            "/%2fcdn-cgi/local",
            "/%5ccdn-cgi/local",
            "/a%2f..%2fcdn-cgi/local",
            "/%25252525252525252563dn-cgi",
            "http://localhost/cdn-cgi/local",
            "HTTP://localhost:8787/cdn-cgi/local",
            "http:/cdn-cgi/local",
            "http:cdn-cgi/../cdn-cgi",
            "http:\\\\localhost\\cdn-cgi",
            "https://a:b@localhost/a/../cdn-cgi",
            "@localhost/cdn-cgi/local",
            ":80/cdn-cgi/local",
        ] {
            assert!(reserved(target), "{target}");
        }
    }

    #[test]
    fn a_host_with_a_path_is_read_as_a_part_of_the_url() {
        for host in [
            "localhost/cdn-cgi/local?",
            "localhost\\cdn-cgi\\local#",
            "a@localhost/cdn-cgi/",
        ] {
            assert!(
                is_reserved("/", &["a.localhost".to_owned(), host.to_owned()]),
                "{host}"
            );
        }
    }

    #[test]
    fn other_paths_are_not_reserved() {
        for target in [
            "/",
            "*",
            "",
            "/cdn",
            "/cdn-cgi-local/x",
            "/a/cdn-cgi/x",
            "/?/cdn-cgi/x",
            "/a?b=../cdn-cgi",
            "/cdn-cgi/../a",
            "/%",
            "/100%25",
            "/a%2fb%25%32",
            "http://cdn-cgi.example/local",
            "/client/v4/accounts",
            "localhost:443",
        ] {
            assert!(!reserved(target), "{target}");
        }
    }
}
