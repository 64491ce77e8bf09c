//! From a request's URL to the Worker that answers it.
//!
//! A [`Router`] holds rules in order. The first rule that matches a URL wins:
//!
//! ```
//! use dispatcher::routing::{Localhost, Router};
//! use dotdo_names::Environment;
//!
//! let router = Router::builtin(Localhost::Unserved);
//! let route = router.route("https://staging.agents.do/tasks?page=2").unwrap();
//! assert_eq!((route.environment(), route.worker()), (Environment::Staging, "agents"));
//! ```
//!
//! # Patterns
//!
//! A pattern is `host` or `host/path`. A capture, `{name}`, takes `[a-z0-9-]+` within one label or segment, and the target
//! makes the Worker's name of what was captured:
//!
//! ```
//! # use dispatcher::routing::{Localhost, Router};
//! let routes = r#"[
//!     {"pattern": "{tenant}.{app}.example.com", "worker": "{tenant}-{app}"},
//!     {"pattern": "example.com/v{major}/*", "worker": "api-v{major}", "strip_prefix": true}
//! ]"#;
//! let router = Router::with_routes(routes, Localhost::Unserved)?;
//!
//! assert_eq!(router.route("https://acme.shop.example.com/").unwrap().worker(), "acme-shop");
//! assert!(router.route("https://shop.example.com/").is_err(), "one label too few");
//!
//! let route = router.route("https://example.com/v2/orders?page=2").unwrap();
//! assert_eq!(route.worker(), "api-v2");
//! assert_eq!(route.stripped().unwrap().rewritten_path(), "/orders?page=2");
//! # Ok::<(), dispatcher::routing::RulesError>(())
//! ```
//!
//! A path ending in `/*` matches with and without more behind it, any other path matches exactly, and a pattern without a
//! path matches any.
//!
//! # Environments
//!
//! `{env}` takes only an environment's label, and chooses the environment of a target that says `"{env}"`. A host that names
//! an environment gets that one or an error, whatever the rules are:
//!
//! ```
//! # use dispatcher::routing::{Localhost, RefusalCode, Router};
//! let routes = r#"[
//!     {"pattern": "{worker}.{env}.example.com", "worker": "{worker}", "environment": "{env}"},
//!     {"pattern": "{a}.{b}.example.org", "worker": "{a}-{b}"}
//! ]"#;
//! let router = Router::with_routes(routes, Localhost::Unserved)?;
//!
//! assert_eq!(router.route("https://shop.dev.example.com/").unwrap().environment().name(), "development");
//! for url in ["https://shop.qa.example.com/", "https://staging.shop.example.org/"] {
//!     assert_eq!(router.route(url).unwrap_err().code(), RefusalCode::EnvironmentUnknown);
//! }
//! # Ok::<(), dispatcher::routing::RulesError>(())
//! ```
//!
//! `{worker}` is a Worker's name: where it takes a reserved or malformed one, the request is refused.
//!
//! # Conflicts
//!
//! A rule *matches* a request if its pattern matches host and path and its `{env}`, if there is one, took an environment's
//! label. The rule with the lowest number of those that match *decides*: it routes the request, or refuses it because of
//! the Worker's name or the environment. No later rule is asked.
//!
//! A rule *can never win* if one earlier rule of `ROUTES` matches every request that it matches. That is decided on its
//! *sample*, a host and a path in which every capture is a character that only captures take, `{env}` is one that only
//! `{env}` and captures take, and the rest behind `/*` is one that only such a rest takes: an earlier rule matches the
//! sample exactly if it matches everything that the later one does. (Two rules that only together take everything from a
//! third are not found.) Built-in rules may be taken everything from; that is how one is replaced.
//!
//! ```
//! # use dispatcher::routing::{Localhost, Router};
//! let routes = r#"[
//!     {"pattern": "{worker}.example.com", "worker": "{worker}"},
//!     {"pattern": "shop.example.com/cart/*", "worker": "cart"}
//! ]"#;
//! let error = Router::with_routes(routes, Localhost::Unserved).unwrap_err().to_string();
//! assert!(error.starts_with("ROUTES[1] `shop.example.com/cart/*` is unreachable, because ROUTES[0] `{worker}.example.com`"));
//! ```
//!
//! # Inside
//!
//! `url`, `host` and `path` read a request, `grammar` reads a pattern into `part`s, `index` proposes rules, a `rule` judges,
//! and `decision` puts them together. Nothing here knows the Workers runtime.

mod custom_hostname;
mod decision;
mod explanation;
mod grammar;
mod host;
mod index;
mod invalid_member;
mod members;
mod pattern;
mod problem;
mod refusal;
mod route;
mod router;
mod routes;
mod rule;
mod search;
mod target;
mod url;

pub use custom_hostname::{CustomHostname, InvalidCustomHostname};
pub use explanation::{Explanation, Outcome, RefusalExplanation, RouteExplanation};
pub use host::{Host, InvalidHost};
pub use invalid_member::{InvalidMember, InvalidMembers};
pub use refusal::{Reason, Refusal, RefusalCode};
pub use route::{Route, StrippedPrefix};
pub use router::{Localhost, Router};
pub use routes::{RulesError, RulesProblem};
pub use rule::{Origin, Rule};
pub use target::{Limits, Outbound};
pub use url::InvalidUrl;
