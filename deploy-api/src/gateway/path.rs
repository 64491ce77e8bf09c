use crate::{code::Code, problem::Problem};

/// Where wrangler finds this gateway: the path of `CLOUDFLARE_API_BASE_URL`.
pub const BASE: &str = "/client/v4";

/// The most characters of a path that any served call has: two names of 63 and the longest words between them.
const MAX_PATH: usize = 512;

/// The segments of a path below [`BASE`]. Each is one or more of `A-Z a-z 0-9 - _ .` and not a run of dots, so that
/// joining them again gives exactly this path.
///
/// # Errors
/// [`Code::PathMalformed`] for a path that another server could parse differently.
pub fn segments(path: &str) -> Result<Vec<&str>, Problem> {
    let malformed = |what: &str| {
        Problem::new(
            Code::PathMalformed,
            format!("The path has {what}."),
            "Write the path as wrangler does: plain names between single slashes, without encoding.",
        )
    };
    if path.len() > MAX_PATH {
        return Err(malformed("more than 512 characters"));
    }
    let below = path
        .strip_prefix(BASE)
        .and_then(|rest| rest.strip_prefix('/'))
        .ok_or_else(|| malformed("another beginning than /client/v4/"))?;
    below
        .split('/')
        .map(|segment| {
            if segment.is_empty() {
                return Err(malformed("an empty segment"));
            }
            if segment.contains('%') {
                return Err(malformed("an encoded character"));
            }
            if segment.bytes().all(|byte| byte == b'.') {
                return Err(malformed("a segment of dots"));
            }
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
            if !segment.bytes().all(plain) {
                return Err(malformed("a character that is not allowed in names"));
            }
            Ok(segment)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_paths_are_split() {
        assert_eq!(
            segments("/client/v4/user/tokens/verify"),
            Ok(vec!["user", "tokens", "verify"])
        );
        assert_eq!(segments("/client/v4/a.b/c_d"), Ok(vec!["a.b", "c_d"]));
    }

    #[test]
    fn hostile_paths_are_refused() {
        let long = format!("/client/v4/{}", "a".repeat(600));
        for path in [
            "/client/v4/accounts/../user",
            "/client/v4/accounts/./user",
            "/client/v4/accounts/.../user",
            "/client/v4/a%2fb",
            "/client/v4/a%2Fb",
            "/client/v4/%2e%2e/user",
            "/client/v4/a%5cb",
            "/client/v4/a%00",
            "/client/v4//user",
            "/client/v4/user//tokens",
            "/client/v4/user/",
            "/client/v4/",
            "/client/v4",
            "/client/v4x/user",
            "/client/v5/user",
            "//client/v4/user",
            "/client/v4/a\\b",
            "/client/v4/a;b",
            "/client/v4/a@b",
            "/client/v4/a b",
            "/client/v4/ü",
            "/client/v4/a?b",
            long.as_str(),
        ] {
            assert_eq!(
                segments(path).map_err(|problem| problem.code),
                Err(Code::PathMalformed),
                "{path}"
            );
        }
    }
}
