//! Compares two responses to the same request.

use std::collections::{BTreeMap, BTreeSet};

use crate::count::counted;
use serde::Serialize;
use serde_json::Value;

/// A response.
#[derive(Clone, Debug, Default)]
pub struct Received {
    /// The status.
    pub status: u16,
    /// The headers, by names in lower case.
    pub headers: BTreeMap<String, Vec<String>>,
    /// The body.
    pub body: Vec<u8>,
    /// The origin of the address, such as `https://api.example.com`.
    pub origin: String,
}

/// A difference between two responses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// `status`, `header NAME` or `body`.
    pub what: String,
    /// In the response of the account Worker.
    pub old: String,
    /// In the response of the Worker in the namespace.
    pub new: String,
}

/// Headers that clients depend on. Others differ between any two responses, such as `date` and `cf-ray`, or are set by the dispatch Worker.
const HEADERS: [&str; 19] = [
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "allow",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-security-policy",
    "content-type",
    "etag",
    "last-modified",
    "link",
    "location",
    "set-cookie",
    "vary",
    "www-authenticate",
];

/// The most characters of a value that are shown.
const SHOWN: usize = 200;

/// The differences in status, relevant headers and body. The addresses themselves are no difference: an origin or a host of the response's
/// own address counts as equal to that of the other.
pub fn differences(old: &Received, new: &Received) -> Vec<Difference> {
    let mut found = Vec::new();
    if old.status != new.status {
        found.push(Difference {
            what: "status".to_owned(),
            old: old.status.to_string(),
            new: new.status.to_string(),
        });
    }
    for name in HEADERS {
        let (before, after) = (header(old, name), header(new, name));
        if before != after {
            found.push(Difference {
                what: format!("header {name}"),
                old: shown(&before),
                new: shown(&after),
            });
        }
    }
    found.extend(body(old, new));
    found
}

/// The values of a header. For cookies, only their names and attributes are compared, because their values are often random.
fn header(received: &Received, name: &str) -> String {
    let values = received.headers.get(name).map(Vec::as_slice).unwrap_or_default();
    let values: BTreeSet<String> = values
        .iter()
        .map(|value| {
            if name == "set-cookie" {
                without_value(value)
            } else {
                neutral(value, received)
            }
        })
        .collect();
    values.into_iter().collect::<Vec<_>>().join(", ")
}

fn without_value(cookie: &str) -> String {
    let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
    let name = pair.split('=').next().unwrap_or_default();
    let lasting: Vec<&str> = attributes
        .split(';')
        .map(str::trim)
        .filter(|attribute| !attribute.to_ascii_lowercase().starts_with("expires="))
        .collect();
    format!("{name}=…; {}", lasting.join("; "))
}

/// A text in which the own address of the response is replaced.
fn neutral(text: &str, received: &Received) -> String {
    let host = received.origin.split("://").nth(1).unwrap_or_default();
    if host.is_empty() {
        return text.to_owned();
    }
    text.replace(&received.origin, "{origin}").replace(host, "{host}")
}

fn body(old: &Received, new: &Received) -> Option<Difference> {
    if old.body == new.body {
        return None;
    }
    let difference = |old: String, new: String| {
        Some(Difference {
            what: "body".to_owned(),
            old,
            new,
        })
    };
    let texts = (std::str::from_utf8(&old.body), std::str::from_utf8(&new.body));
    let (Ok(before), Ok(after)) = texts else {
        return difference(
            counted(old.body.len(), "byte", "bytes"),
            counted(new.body.len(), "byte", "bytes"),
        );
    };
    let (before, after) = (neutral(before, old), neutral(after, new));
    let documents: (Option<Value>, Option<Value>) = (
        serde_json::from_str(&before).ok(),
        serde_json::from_str(&after).ok(),
    );
    let same_document = documents.0.is_some() && documents.0 == documents.1;
    if before == after || same_document {
        return None;
    }
    let lines = before
        .lines()
        .chain(std::iter::repeat(""))
        .zip(after.lines().chain(std::iter::repeat("")));
    let count = before.lines().count().max(after.lines().count());
    let first = (1..)
        .zip(lines)
        .take(count)
        .find(|(_, (before, after))| before != after);
    match first {
        Some((number, (before, after))) => difference(
            format!("line {number}: {}", shown(before)),
            format!("line {number}: {}", shown(after)),
        ),
        None => difference("other line ends".to_owned(), String::new()),
    }
}

fn shown(text: &str) -> String {
    if text.is_empty() {
        return "none".to_owned();
    }
    let short: String = text.chars().filter(|c| !c.is_control()).take(SHOWN).collect();
    if text.chars().count() > SHOWN {
        format!("{short}…")
    } else {
        short
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(origin: &str, status: u16, headers: &[(&str, &str)], body: &str) -> Received {
        let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in headers {
            all.entry((*name).to_owned())
                .or_default()
                .push((*value).to_owned());
        }
        Received {
            status,
            headers: all,
            body: body.as_bytes().to_vec(),
            origin: origin.to_owned(),
        }
    }

    #[test]
    fn addresses_dates_and_values_of_cookies_are_no_difference() {
        let of = |origin: &str, date: &str, cookie: &str| {
            received(
                origin,
                302,
                &[
                    ("location", &format!("{origin}/next")),
                    ("date", date),
                    ("cf-ray", date),
                    (
                        "set-cookie",
                        &format!("id={cookie}; Path=/; Expires={date}; HttpOnly"),
                    ),
                ],
                &format!("{{\"self\": \"{origin}/\", \"a\": 1}}"),
            )
        };
        let old = of("https://api.example.com", "1", "x");
        assert_eq!(differences(&old, &of("https://api.do", "2", "y")), []);
        // JSON in another order.
        let mut new = of("https://api.do", "2", "y");
        new.body = b"{\"a\":1,\"self\":\"https://api.do/\"}".to_vec();
        assert_eq!(differences(&old, &new), []);
    }

    #[test]
    fn status_headers_and_the_first_line_of_the_body_are_compared() {
        let old = received(
            "https://old.example",
            200,
            &[("content-type", "text/plain"), ("vary", "accept")],
            "one\ntwo\nthree",
        );
        let new = received(
            "https://new.example",
            500,
            &[("content-type", "text/html")],
            "one\n2\nthree",
        );
        let found: Vec<_> = differences(&old, &new)
            .into_iter()
            .map(|difference| (difference.what, difference.old, difference.new))
            .collect();
        let expected = [
            ("status", "200", "500"),
            ("header content-type", "text/plain", "text/html"),
            ("header vary", "accept", "none"),
            ("body", "line 2: two", "line 2: 2"),
        ];
        assert_eq!(
            found,
            expected.map(|(what, old, new)| (what.to_owned(), old.to_owned(), new.to_owned()))
        );
    }

    #[test]
    fn bodies_that_are_no_text_are_compared_by_their_bytes() {
        let mut old = received("https://a", 200, &[], "");
        old.body = vec![0xff, 0];
        let mut new = old.clone();
        assert_eq!(differences(&old, &new), []);
        new.body.push(1);
        assert_eq!(differences(&old, &new)[0].new, "3 bytes");
    }
}
