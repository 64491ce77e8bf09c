//! The dispatch Worker: it finds the user Worker that a request's hostname names, and hands the request over.
//!
//! [`routing`] is pure: it takes the text of a URL and gives a route.

pub mod routing;
