use hyper::header;

/// A request that a relay received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relayed {
    /// Its method.
    pub method: String,
    /// Its path and query, unchanged.
    pub path: String,
    /// Its header `Authorization`.
    pub authorization: String,
    /// The names of its other headers.
    pub headers: Vec<String>,
}

impl Relayed {
    pub(super) fn of(method: &hyper::Method, path: &str, headers: &hyper::HeaderMap) -> Self {
        let authorization = headers.get(header::AUTHORIZATION);
        Self {
            method: method.to_string(),
            path: path.to_owned(),
            authorization: authorization
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
                .to_owned(),
            headers: headers
                .keys()
                .filter(|name| *name != header::AUTHORIZATION)
                .map(ToString::to_string)
                .collect(),
        }
    }
}
