//! The loads: what is sent, over how many connections, and what must come back.

use http_body_util::Full;
use hyper::{
    Method, Request, StatusCode,
    body::Bytes,
    header::{HOST, HeaderName, HeaderValue},
};

/// How many Workers the hosts of [`Load::Spread`] name.
pub const WORKERS: usize = 1000;

const KILOBYTE: usize = 1 << 10;
const MEGABYTE: usize = 1 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    Get { connections: usize },
    GetWithHeaders,
    Post { bytes: usize },
    Echo,
    MissingWorker,
    UnknownHost,
    Spread,
}

/// What must come back; anything else ends the benchmark, because its figures would be of something else.
#[derive(Debug)]
pub struct Expected {
    pub status: StatusCode,
    pub body: ExpectedBody,
}

#[derive(Debug)]
pub enum ExpectedBody {
    Any,
    Text(String),
    Length(usize),
}

impl Load {
    pub const ALL: [Self; 10] = [
        Self::Get { connections: 1 },
        Self::Get { connections: 16 },
        Self::Get { connections: 256 },
        Self::GetWithHeaders,
        Self::Spread,
        Self::MissingWorker,
        Self::UnknownHost,
        Self::Post { bytes: KILOBYTE },
        // Those that fill memory come last.
        Self::Post { bytes: MEGABYTE },
        Self::Echo,
    ];

    /// Its name on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get { connections: 1 } => "get-1",
            Self::Get { connections: 16 } => "get-16",
            Self::Get { .. } => "get-256",
            Self::GetWithHeaders => "get-headers",
            Self::Post { bytes: KILOBYTE } => "post-1k",
            Self::Post { .. } => "post-1m",
            Self::Echo => "echo-32m",
            Self::MissingWorker => "missing-worker",
            Self::UnknownHost => "unknown-host",
            Self::Spread => "spread",
        }
    }

    /// Its name in the table.
    pub fn title(self) -> String {
        let what = match self {
            Self::Get { .. } => "GET".to_owned(),
            Self::GetWithHeaders => "GET, 30 headers".to_owned(),
            Self::Spread => format!("GET, {WORKERS} Workers"),
            Self::MissingWorker => "missing Worker".to_owned(),
            Self::UnknownHost => "unknown host".to_owned(),
            Self::Post { bytes } if bytes < MEGABYTE => format!("POST of {} KB", bytes / KILOBYTE),
            Self::Post { bytes } => format!("POST of {} MB", bytes / MEGABYTE),
            Self::Echo => "echo of 32 MB".to_owned(),
        };
        match self.connections() {
            1 => format!("{what}, one by one"),
            several => format!("{what}, {several} at once"),
        }
    }

    pub fn connections(self) -> usize {
        match self {
            Self::Get { connections } => connections,
            Self::Post { bytes: MEGABYTE } => 4,
            Self::Echo => 2,
            _ => 16,
        }
    }

    /// Whether the load says something about what is measured without a dispatcher.
    pub fn needs_dispatcher(self) -> bool {
        matches!(self, Self::MissingWorker | Self::UnknownHost | Self::Spread)
    }

    /// Whether the load leaves more memory in a process than all others need.
    pub fn fills_memory(self) -> bool {
        matches!(self, Self::Post { bytes: MEGABYTE } | Self::Echo)
    }

    /// Makes the requests of one connection.
    pub fn requests(self) -> Requests {
        let (method, body) = match self {
            Self::Post { bytes } => (Method::POST, vec![b'x'; bytes]),
            Self::Echo => (Method::PUT, vec![b'x'; 32 * MEGABYTE]),
            _ => (Method::GET, Vec::new()),
        };
        let hosts = match self {
            Self::MissingWorker => vec!["nobody.do".to_owned()],
            Self::UnknownHost => vec!["example.com".to_owned()],
            Self::Spread => (0..WORKERS)
                .map(|number| format!("{}.do", worker(number)))
                .collect(),
            _ => vec![format!("{}.do", worker(0))],
        };
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = method;
        if self == Self::GetWithHeaders {
            let headers = request.headers_mut();
            for (name, value) in browser_headers() {
                headers.append(name, value);
            }
        }
        let hosts = hosts
            .iter()
            .filter_map(|host| HeaderValue::from_str(host).ok())
            .collect();
        Requests {
            load: self,
            request,
            hosts,
        }
    }

    /// The request with that number alone.
    pub fn request(self, number: usize) -> (Request<Full<Bytes>>, Expected) {
        self.requests().make(number)
    }

    /// What must come back for the request with that number.
    pub fn expected(self, number: usize) -> Expected {
        let (status, body) = match self {
            Self::Get { .. } | Self::GetWithHeaders => (StatusCode::OK, ExpectedBody::Text(worker(0))),
            Self::Spread => (StatusCode::OK, ExpectedBody::Text(worker(number % WORKERS))),
            Self::Post { bytes } => (StatusCode::OK, ExpectedBody::Text(bytes.to_string())),
            Self::Echo => (StatusCode::OK, ExpectedBody::Length(32 * MEGABYTE)),
            Self::MissingWorker | Self::UnknownHost => (StatusCode::NOT_FOUND, ExpectedBody::Any),
        };
        Expected { status, body }
    }
}

/// The name of a Worker of the namespace.
pub fn worker(number: usize) -> String {
    format!("tenant-{number}")
}

/// The requests of a load, one after the other.
pub struct Requests {
    load: Load,
    request: Request<Full<Bytes>>,
    hosts: Vec<HeaderValue>,
}

impl Requests {
    /// The request with that number, and what must come back.
    pub fn make(&self, number: usize) -> (Request<Full<Bytes>>, Expected) {
        let mut request = self.request.clone();
        if let Some(host) = self.hosts.get(number % self.hosts.len()) {
            request.headers_mut().insert(HOST, host.clone());
        }
        (request, self.load.expected(number))
    }
}

/// Thirty headers of the kind and size that a browser behind a proxy sends, the host not counted.
fn browser_headers() -> Vec<(HeaderName, HeaderValue)> {
    let sent = [
        (
            "accept",
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
        ),
        ("accept-encoding", "gzip, br"),
        ("accept-language", "en-GB,en;q=0.8,de;q=0.5"),
        ("cache-control", "no-cache"),
        (
            "cookie",
            "session=5f2b1c0e9d8a4b7c; theme=dark; consent=all; _ga=GA1.2.1234567890.1700000000",
        ),
        ("dnt", "1"),
        ("pragma", "no-cache"),
        ("priority", "u=0, i"),
        (
            "referer",
            "https://www.example.com/a/page/with/a/longer/path?and=query",
        ),
        ("sec-ch-ua", "\"Chromium\";v=\"140\", \"Not=A?Brand\";v=\"24\""),
        ("sec-ch-ua-mobile", "?0"),
        ("sec-ch-ua-platform", "\"Linux\""),
        ("sec-fetch-dest", "document"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-user", "?1"),
        ("upgrade-insecure-requests", "1"),
        (
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
        ),
        ("cf-connecting-ip", "203.0.113.7"),
        ("cf-ipcountry", "DE"),
        ("cf-ray", "8f1a2b3c4d5e6f70-FRA"),
        ("cf-visitor", "{\"scheme\":\"https\"}"),
        ("cdn-loop", "cloudflare; loops=1"),
        ("x-forwarded-for", "203.0.113.7"),
        ("x-forwarded-proto", "https"),
        ("x-real-ip", "203.0.113.7"),
        ("x-request-id", "0b9f6f0e-8f5c-4c57-9a53-1f0f6b1f9a11"),
        (
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ),
        ("tracestate", "vendor=00f067aa0ba902b7"),
        ("if-none-match", "W/\"5d8c72a5edda8d6a\""),
    ];
    sent.into_iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect()
}

impl std::str::FromStr for Load {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let load = Self::ALL.into_iter().find(|load| load.name() == text);
        load.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("`{text}` is no load: choose from {names}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_parse() {
        for load in Load::ALL {
            assert_eq!(load.name().parse(), Ok(load));
        }
    }

    #[test]
    fn there_are_thirty_headers() {
        assert_eq!(browser_headers().len(), 30);
        let (request, _) = Load::GetWithHeaders.requests().make(0);
        assert_eq!(request.headers().len(), 31, "thirty and the host");
    }

    #[test]
    fn a_spread_load_visits_every_worker() {
        let requests = Load::Spread.requests();
        let (request, expected) = requests.make(WORKERS + 7);
        assert_eq!(request.headers()[HOST], "tenant-7.do");
        assert!(matches!(expected.body, ExpectedBody::Text(text) if text == "tenant-7"));
    }
}
