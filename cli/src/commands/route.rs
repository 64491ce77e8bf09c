//! `dotdo route`: explains a routing decision with the code that the dispatch Worker runs.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result, bail};
use clap::Args;
use dispatcher::routing::{Explanation, Localhost, Outcome, RefusalExplanation, RouteExplanation, Router};
use dotdo_names::ERRORS_PAGE;
use url::Url;

use crate::clone;
use crate::failure::{Exit, Failure};
use crate::session::Session;

/// What the exit code says, for scripts.
const EXIT_CODES: &str = "\
Exit code:
  0  every request is routed to a Worker
  1  a request gets an error, such as HOST_UNKNOWN
  2  a URL is not valid, the rules cannot be loaded, or an option is wrong

JSON: one object for each URL, with `url`, and `route` or `refusal`.";

/// The arguments of `dotdo route`.
#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub struct RouteArguments {
    /// The URLs of requests, such as <https://staging.agents.do/x>
    #[arg(value_name = "URL", required = true)]
    urls: Vec<String>,
    /// Read the JSON of ROUTES from this file, instead of the clone's wrangler.jsonc
    #[arg(long, value_name = "FILE")]
    routes: Option<PathBuf>,
}

/// Prints what happens to each request. The exit code is that of the worst result, see [`EXIT_CODES`].
pub fn run(arguments: &RouteArguments, session: &Session) -> Result<Exit, Failure> {
    let router = router_of(arguments.routes.as_deref())?;
    let mut worst = Exit::Success;
    for url in &arguments.urls {
        let exit = print(&router, url, session)?;
        if exit as u8 > worst as u8 {
            worst = exit;
        }
    }
    Ok(worst)
}

fn print(router: &Router, url: &str, session: &Session) -> Result<Exit, Failure> {
    let explanation = match explain(router, url) {
        Ok(explanation) => explanation,
        Err(error) => {
            let failure = Failure::usage(format!("{error:#}"), "");
            session.output.failure(&failure);
            return Ok(failure.exit());
        }
    };
    session
        .output
        .either(&explanation, |output| output.text(&text(&explanation)))?;
    Ok(match explanation.outcome {
        Outcome::Route(_) => Exit::Success,
        Outcome::Refusal(_) => Exit::Refused,
    })
}

/// The router with the rules of a file, or of the clone that contains the current folder. Elsewhere, it has only the built-in rules.
///
/// # Errors
/// If the rules cannot be loaded.
pub fn router_of(routes: Option<&Path>) -> Result<Router, Failure> {
    router(routes).map_err(|error| {
        Failure::usage(
            format!("{error:#}"),
            "Correct the rules; `npm run check` lists every mistake.",
        )
    })
}

fn router(routes: Option<&Path>) -> Result<Router> {
    let root = env::current_dir().ok().and_then(|folder| clone::root(&folder));
    let (file, routes) = match (routes, root) {
        (Some(file), _) => {
            let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
            (file.display().to_string(), Some(text))
        }
        (None, Some(root)) => {
            let configuration = wrangler_config::read(&root.join("wrangler.jsonc"))?;
            (
                "wrangler.jsonc".to_owned(),
                wrangler_config::routes(&configuration)?,
            )
        }
        (None, None) => (String::new(), None),
    };
    // A deployed Worker never gets a request for `.localhost`, so this does not change the result for any other host.
    let localhost = Localhost::MirrorsDo;
    match routes {
        None => Ok(Router::builtin(localhost)),
        Some(routes) => Router::with_routes(&routes, localhost)
            .with_context(|| format!("{file}: the rules cannot be loaded")),
    }
}

/// Explains the URL in the form in which the runtime passes it to a Worker: in lower case, in punycode, with `..` resolved.
fn explain(router: &Router, text: &str) -> Result<Explanation> {
    let with_scheme = if text.contains("://") {
        text.to_owned()
    } else {
        format!("https://{text}")
    };
    let url = Url::parse(&with_scheme).with_context(|| {
        format!("`{text}` is not a valid URL: write one such as https://staging.agents.do/x")
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        bail!("`{text}` is not an HTTP URL: it must start with https:// or http://");
    }
    Ok(router.explain(url.as_str()))
}

fn text(explanation: &Explanation) -> String {
    let rows = match &explanation.outcome {
        Outcome::Route(route) => route_rows(route),
        Outcome::Refusal(refusal) => refusal_rows(refusal),
    };
    let mut text = format!("{}\n", explanation.url);
    for (name, value) in rows {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {name:<13} {value}");
    }
    text
}

fn route_rows(route: &RouteExplanation) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("rule", route.rule.clone()),
        ("environment", route.environment.to_owned()),
        ("namespace", route.namespace.to_owned()),
        ("binding", route.binding.to_owned()),
        ("Worker", route.worker.clone()),
    ];
    if let Some(prefix) = &route.stripped_prefix {
        rows.push((
            "prefix",
            format!("{prefix} (stripped, and sent as X-Forwarded-Prefix)"),
        ));
    }
    if let Some(path) = &route.rewritten_path {
        rows.push(("path", format!("{path} (the path that the Worker gets)")));
    }
    if let Some(limits) = route.limits {
        let limit = |name, value: Option<u32>| value.map(|value| format!("{name} {value}"));
        let limits = [
            limit("cpu_ms", limits.cpu_ms),
            limit("subrequests", limits.subrequests),
        ];
        rows.push((
            "limits",
            limits.into_iter().flatten().collect::<Vec<_>>().join(", "),
        ));
    }
    if let Some(outbound) = &route.outbound {
        rows.push(("outbound", outbound.as_json().to_owned()));
    }
    rows
}

fn refusal_rows(refusal: &RefusalExplanation) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("error", refusal.code.to_owned()),
        ("reason", refusal.reason.clone()),
    ];
    if let Some(rule) = &refusal.nearest_rule {
        rows.push(("nearest rule", rule.clone()));
    }
    if refusal.may_be_custom_hostname {
        let hint = "unless the host is a custom hostname in the KV namespace HOSTNAMES, which this command does not read";
        rows.push(("", hint.to_owned()));
    }
    rows.push(("more", format!("{ERRORS_PAGE}#{}", refusal.code.to_lowercase())));
    rows
}

#[cfg(test)]
mod tests {
    use dotdo_names::Environment;

    use super::*;

    fn explained(url: &str) -> String {
        text(&explain(&Router::builtin(Localhost::MirrorsDo), url).unwrap())
    }

    #[test]
    fn explains_a_route_from_the_rule_to_the_path() {
        assert_eq!(
            explained("https://staging.apis.do/agents/x?q"),
            "https://staging.apis.do/agents/x?q\n  \
             rule          built-in `{env}.apis.do/{worker}/*`\n  \
             environment   staging\n  \
             namespace     NAMESPACE\n  \
             binding       DISPATCHER_STAGING\n  \
             Worker        agents\n  \
             prefix        /agents (stripped, and sent as X-Forwarded-Prefix)\n  \
             path          /x?q (the path that the Worker gets)\n"
                .replace("NAMESPACE", Environment::Staging.namespace())
        );
    }

    #[test]
    fn explains_an_error_with_its_reason_and_its_page() {
        let text = explained("https://qa.agents.do/");
        assert!(text.contains("ENVIRONMENT_UNKNOWN"), "{text}");
        assert!(text.contains("`qa` is not an environment"), "{text}");
        assert!(text.contains("built-in `{env}.{worker}.do`"), "{text}");
        assert!(text.contains("#environment_unknown"), "{text}");
        assert!(!text.contains("HOSTNAMES"), "{text}");
    }

    #[test]
    fn mentions_custom_hostnames_for_an_unknown_host() {
        assert!(explained("https://shop.example.com/").contains("HOSTNAMES"));
        assert!(!explained("https://127.0.0.1/").contains("HOSTNAMES"));
    }

    #[test]
    fn normalizes_a_url_as_the_runtime_does() {
        let text = explained("AGENTS.do/a/../b");
        assert!(text.starts_with("https://agents.do/b\n"), "{text}");
        assert!(explained("http://agents.localhost:8787").contains("production"));
    }

    #[test]
    fn rejects_a_url_that_is_not_http() {
        let router = Router::builtin(Localhost::MirrorsDo);
        for url in ["https://", "ftp://agents.do/", "https://a b/"] {
            let error = explain(&router, url).expect_err(url).to_string();
            assert!(error.contains(url), "{error}");
        }
    }

    #[test]
    fn reads_rules_from_a_file() {
        let file = std::env::temp_dir().join(format!("dotdo-route-test-{}.json", std::process::id()));
        let arguments = RouteArguments {
            urls: Vec::new(),
            routes: Some(file.clone()),
        };
        fs::write(
            &file,
            r#"[{"pattern": "{worker}.example.com", "worker": "{worker}", "limits": {"cpu_ms": 5}}]"#,
        )
        .unwrap();
        let explained = text(
            &explain(
                &router(arguments.routes.as_deref()).unwrap(),
                "https://a.example.com/",
            )
            .unwrap(),
        );
        assert!(
            explained.contains("ROUTES[0]") && explained.contains("cpu_ms 5"),
            "{explained}"
        );

        fs::write(&file, r#"[{"pattern": "*.example.com", "worker": "a"}]"#).unwrap();
        let error = format!("{:#}", router(arguments.routes.as_deref()).unwrap_err());
        assert!(
            error.contains("ROUTES[0]") && error.contains("*.example.com"),
            "{error}"
        );
        fs::remove_file(&file).unwrap();
        assert!(router(arguments.routes.as_deref()).is_err());
    }
}
