//! Paths of the deploy API.

use dotdo_names::{Namespace, WorkerName};

/// The path of a Worker in the API.
#[must_use]
pub fn worker_path(namespace: impl Into<Namespace>, worker: &WorkerName) -> String {
    format!("/v1/namespaces/{}/workers/{worker}", namespace.into().name())
}

/// A path with parameters; those without a value are omitted.
#[must_use]
pub fn with_parameters(path: &str, parameters: &[(&str, Option<String>)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    match query.finish() {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

/// The path of the next page in a header such as `</v1/audit?cursor=…>; rel="next"`.
pub fn next_page(link: &str) -> Option<String> {
    let path = link
        .strip_suffix("; rel=\"next\"")?
        .strip_prefix('<')?
        .strip_suffix('>')?;
    path.starts_with("/v1/").then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_encoded_and_omitted() {
        let path = with_parameters(
            "/v1/audit",
            &[
                ("since", Some("1h".to_owned())),
                ("worker", None),
                ("rule", Some("a&b".to_owned())),
            ],
        );
        assert_eq!(path, "/v1/audit?since=1h&rule=a%26b");
        assert_eq!(with_parameters("/v1/audit", &[("worker", None)]), "/v1/audit");
    }

    #[test]
    fn the_next_page_is_a_path_of_the_api() {
        let path = next_page("</v1/audit?format=ndjson&cursor=a>; rel=\"next\"");
        assert_eq!(path.as_deref(), Some("/v1/audit?format=ndjson&cursor=a"));
        assert_eq!(next_page("<https://evil.example/>; rel=\"next\""), None);
    }
}
