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

mod builtin;
mod captures;
mod custom_hostname;
mod decision;
mod environment_label;
mod explanation;
mod grammar;
mod host;
mod index;
mod limits;
mod outbound;
mod part;
mod path;
mod pattern;
mod problem;
mod refusal;
mod route;
mod router;
mod routes;
mod rule;
mod rules_error;
mod search;
mod template;
mod url;

pub use custom_hostname::{CustomHostname, InvalidCustomHostname};
pub use explanation::{Explanation, Outcome, RefusalExplanation, RouteExplanation};
pub use grammar::Place;
pub use host::{Host, InvalidHost};
pub use limits::Limits;
pub use outbound::Outbound;
pub use problem::Problem;
pub use refusal::{Reason, Refusal, RefusalCode};
pub use route::{Route, StrippedPrefix};
pub use router::{Localhost, Router};
pub use rule::{Origin, Rule};
pub use rules_error::RulesError;
