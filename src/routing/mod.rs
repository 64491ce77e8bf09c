//! Routing: the text of a request's URL in, a [`Route`] to a user Worker or a [`Refusal`] out.
//!
//! A [`Router`] has rules in order, and the first rule that matches a URL decides:
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
//! A pattern is `host` or `host/path`. A capture, `{name}`, matches `[a-z0-9-]+` within one label or segment, and the
//! target composes the Worker's name from captures and literal text:
//!
//! ```
//! # use dispatcher::routing::{Localhost, Router};
//! let routes = r#"[
//!     {"pattern": "{tenant}.{app}.example.com", "worker": "{tenant}-{app}"},
//!     {"pattern": "example.com/v{major}/*", "worker": "api-v{major}"}
//! ]"#;
//! let router = Router::with_routes(routes, Localhost::Unserved)?;
//!
//! assert_eq!(router.route("https://acme.shop.example.com/").unwrap().worker(), "acme-shop");
//! assert_eq!(router.route("https://example.com/v2/orders").unwrap().worker(), "api-v2");
//! assert!(router.route("https://shop.example.com/").is_err(), "one label is missing");
//! # Ok::<(), dispatcher::routing::RulesError>(())
//! ```
//!
//! A path that ends in `/*` matches with and without more segments. Any other path matches exactly. A pattern without a
//! path matches any path.
//!
//! # Stripped prefixes
//!
//! With `strip_prefix`, the Worker sees the path without the part that the pattern names. Its redirects get that part
//! back:
//!
//! ```
//! # use dispatcher::routing::{Localhost, Router};
//! let router = Router::builtin(Localhost::Unserved);
//! let route = router.route("https://apis.do/agents/tasks?page=2").unwrap();
//! let stripped = route.stripped().unwrap();
//!
//! assert_eq!((stripped.prefix(), &*stripped.rewritten_path()), ("/agents", "/tasks?page=2"));
//! assert_eq!(stripped.restore_location("/login").as_deref(), Some("/agents/login"));
//! ```
//!
//! # Environments
//!
//! `{env}` matches only an environment's label, and selects the environment of a target with `"{env}"`. A request for a
//! host that names an environment reaches that environment or gets an error, whatever the rules are:
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
//! `{worker}` is a Worker's name: if it is reserved or malformed, the request is refused.
//!
//! # Errors and conflicts
//!
//! A rule *matches* a request if its pattern matches host and path, and its `{env}`, if there is one, is an
//! environment's label. Of the rules that match, the first one *decides*: it routes the request, or it refuses the
//! request because of the Worker's name or the environment. No later rule is tried.
//!
//! A rule is *unreachable* if one earlier rule of `ROUTES` *shadows* it, which means that the earlier rule matches
//! every request that it matches. A pattern's *witness* shows that: it is a host and a path with a placeholder for each
//! capture, for `{env}` and for the rest behind `/*`. Only captures match the placeholder of a capture, only captures
//! and `{env}` match the one of `{env}`, and only `/*` matches the one of a rest. So an earlier rule matches the
//! witness exactly if it shadows the rule. (Two rules that shadow a third one only together are not found.) Built-in
//! rules may be shadowed: that is how they are replaced.
//!
//! One invalid or unreachable rule is enough to load none of them. The error has every problem:
//!
//! ```
//! # use dispatcher::routing::{Localhost, Router};
//! let routes = r#"[
//!     {"pattern": "{worker}.example.com", "worker": "{worker}"},
//!     {"pattern": "shop.example.com/cart/*", "worker": "cart"},
//!     {"pattern": "shop.example.org", "worker": "shop", "limits": {"cpu_ms": "50"}}
//! ]"#;
//! let error = Router::with_routes(routes, Localhost::Unserved).unwrap_err();
//! let problems: Vec<String> = error.problems().map(ToString::to_string).collect();
//!
//! assert!(problems[0].starts_with("ROUTES[1] `shop.example.com/cart/*` is unreachable, because ROUTES[0]"));
//! assert_eq!(
//!     problems[1],
//!     "ROUTES[2] `shop.example.org`: limits.cpu_ms: expected a whole number from 1 to 300000, found \"50\""
//! );
//! ```
//!
//! # The files
//!
//! | task | files |
//! |---|---|
//! | read a request's URL | `url`, `host` |
//! | read `ROUTES` and its rules | `routes`, `members`, `invalid_member`; `rule`, `grammar`, `pattern`, `target`, `problem` |
//! | decide | `router`, `decision`; `index` selects candidates, `search` tries them |
//! | describe the decision | `route`, `refusal`, `explanation` |
//! | read the entries of custom hostnames | `custom_hostname` |
//!
//! Nothing here depends on the Workers runtime.

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
