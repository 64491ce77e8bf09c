//! The loads: the requests, the number of connections, and the expected responses.

use http_body_util::Full;
use hyper::{
    Method, Request, StatusCode,
    body::Bytes,
    header::{HOST, HeaderValue},
};

use crate::contender::Contender;

/// How many Workers the production namespace has; the hosts of [`Load::Spread`] name all of them.
pub const WORKERS: usize = 1000;

const KILOBYTE: usize = 1 << 10;
const MEGABYTE: usize = 1 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    Get {
        connections: usize,
    },
    /// A GET of a process with `ANALYTICS` bound, which must write one data point for each request.
    Analytics,
    /// A GET of a Worker that forwards it to another one through a service binding.
    ServiceBinding,
    Post {
        bytes: usize,
    },
    Echo,
    MissingWorker,
    UnknownHost,
    /// GETs of a thousand Workers in turn. Only the soak sends it.
    Spread,
}

/// The expected response. Any other ends the benchmark, because its figures would be those of something else.
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
    /// Every load that the rounds run.
    pub const ALL: [Self; 9] = [
        Self::Get { connections: 1 },
        Self::Get { connections: 16 },
        Self::Get { connections: 256 },
        Self::Analytics,
        Self::ServiceBinding,
        Self::MissingWorker,
        Self::UnknownHost,
        // Those that fill memory come last.
        Self::Post { bytes: MEGABYTE },
        Self::Echo,
    ];

    /// The name on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get { connections: 1 } => "get-1",
            Self::Get { connections: 16 } => "get-16",
            Self::Get { .. } => "get-256",
            Self::Analytics => "get-analytics",
            Self::ServiceBinding => "service-binding",
            Self::Post { bytes: MEGABYTE } => "post-1m",
            Self::Post { .. } => "post",
            Self::Echo => "echo-32m",
            Self::MissingWorker => "missing-worker",
            Self::UnknownHost => "unknown-host",
            Self::Spread => "spread",
        }
    }

    /// The name in the table.
    pub fn title(self) -> String {
        let what = match self {
            Self::Get { .. } => "GET".to_owned(),
            Self::Analytics => "GET, ANALYTICS".to_owned(),
            Self::ServiceBinding => "service binding".to_owned(),
            Self::Spread => format!("GET, {WORKERS} Workers"),
            Self::MissingWorker => "missing Worker".to_owned(),
            Self::UnknownHost => "unknown host".to_owned(),
            Self::Post { bytes: MEGABYTE } => "POST of 1 MB".to_owned(),
            Self::Post { bytes } => format!("POST of {} KB", bytes / KILOBYTE),
            Self::Echo => "echo of 32 MB".to_owned(),
        };
        match self.connections() {
            1 => format!("{what}, 1 connection"),
            several => format!("{what}, {several} connections"),
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

    /// Whether the contender can answer the load as the dispatch Worker does.
    pub fn runs_on(self, contender: Contender) -> bool {
        match self {
            Self::Analytics => contender.writes_points(),
            Self::ServiceBinding => contender.serves_bindings(),
            Self::MissingWorker | Self::UnknownHost | Self::Spread => contender.dispatches(),
            Self::Get { .. } | Self::Post { .. } | Self::Echo => contender.serves(),
        }
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

    /// The expected response to the request with that number.
    pub fn expected(self, number: usize) -> Expected {
        let (status, body) = match self {
            Self::Get { .. } | Self::Analytics | Self::ServiceBinding => {
                (StatusCode::OK, ExpectedBody::Text(worker(0)))
            }
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

/// The requests of a load.
pub struct Requests {
    load: Load,
    request: Request<Full<Bytes>>,
    hosts: Vec<HeaderValue>,
}

impl Requests {
    /// The request with that number, and the expected response.
    pub fn make(&self, number: usize) -> (Request<Full<Bytes>>, Expected) {
        let mut request = self.request.clone();
        if let Some(host) = self.hosts.get(number % self.hosts.len()) {
            request.headers_mut().insert(HOST, host.clone());
        }
        (request, self.load.expected(number))
    }
}

impl std::str::FromStr for Load {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let load = Self::ALL.into_iter().find(|load| load.name() == text);
        load.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("`{text}` is not a load: use one of {names}")
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
    fn contenders_run_only_the_loads_that_they_can_answer() {
        assert!(Load::Analytics.runs_on(Contender::SameFeatures));
        assert!(!Load::Analytics.runs_on(Contender::Hono));
        assert!(!Load::UnknownHost.runs_on(Contender::UserWorker));
        assert!(Load::ServiceBinding.runs_on(Contender::UserWorker));
        assert!(!Load::ServiceBinding.runs_on(Contender::Baseline));
    }

    #[test]
    fn spread_requests_every_worker_in_turn() {
        let requests = Load::Spread.requests();
        let (request, expected) = requests.make(WORKERS + 7);
        assert_eq!(request.headers()[HOST], "tenant-7.do");
        assert!(matches!(expected.body, ExpectedBody::Text(text) if text == "tenant-7"));
    }
}
