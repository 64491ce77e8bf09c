//! `npm run route`: explains a routing decision, by the very code that the dispatch Worker runs.

use std::{fmt::Write as _, fs, path::PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use dispatcher::routing::{Explanation, Localhost, Outcome, RefusalExplanation, RouteExplanation, Router};
use dotdo_names::ERRORS_PAGE;
use url::Url;

use crate::{build::Worker, routes_variable, workspace, wrangler_config};

#[derive(Args)]
pub struct Arguments {
    /// The URL of a request, such as <https://staging.agents.do/x>
    url: String,
    /// A file with the JSON of `ROUTES`, in place of the variable in wrangler.jsonc
    #[arg(long, value_name = "FILE")]
    routes: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints what happens to a request.
///
/// # Errors
/// When the text is no URL, or the rules cannot be loaded. A refused request is an explanation, not an error.
pub fn run(arguments: &Arguments) -> Result<()> {
    let explanation = explain(&router(arguments)?, &arguments.url)?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&explanation)?);
    } else {
        print!("{}", text(&explanation));
    }
    Ok(())
}

fn router(arguments: &Arguments) -> Result<Router> {
    let (file, routes) = if let Some(file) = &arguments.routes {
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        (file.display().to_string(), Some(text))
    } else {
        let file = Worker::Dispatcher.configuration();
        let configuration = wrangler_config::read(&workspace::path(&file))?;
        (file, routes_variable::of(&configuration)?)
    };
    // Nobody but a developer's machine is asked for `.localhost`, so this is right for every other host as well.
    let localhost = Localhost::MirrorsDo;
    match routes {
        None => Ok(Router::builtin(localhost)),
        Some(routes) => Router::with_routes(&routes, localhost)
            .with_context(|| format!("{file}: the rules cannot be loaded")),
    }
}

/// Explains the URL as a runtime passes it on: in lower case, in punycode, with `..` resolved.
fn explain(router: &Router, text: &str) -> Result<Explanation> {
    let with_scheme = if text.contains("://") {
        text.to_owned()
    } else {
        format!("https://{text}")
    };
    let url = Url::parse(&with_scheme).with_context(|| {
        format!("`{text}` is no URL that a request can have; write one such as https://staging.agents.do/x")
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        bail!("`{text}` is no web address: it has to begin with https:// or http://");
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
            format!("{prefix} (stripped, and told in X-Forwarded-Prefix)"),
        ));
    }
    if let Some(path) = &route.rewritten_path {
        rows.push(("path", format!("{path} (what the Worker sees)")));
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
        let hint = "unless it is a custom hostname, which only the KV namespace HOSTNAMES knows";
        rows.push(("", hint.to_owned()));
    }
    rows.push(("more", format!("{ERRORS_PAGE}#{}", refusal.code.to_lowercase())));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(url: &str) -> String {
        text(&explain(&Router::builtin(Localhost::MirrorsDo), url).unwrap())
    }

    #[test]
    fn a_route_is_explained_from_the_rule_to_the_path() {
        assert_eq!(
            explained("https://staging.apis.do/agents/x?q"),
            "https://staging.apis.do/agents/x?q\n  \
             rule          built-in `{env}.apis.do/{worker}/*`\n  \
             environment   staging\n  \
             namespace     dotdo-staging\n  \
             binding       DISPATCHER_STAGING\n  \
             Worker        agents\n  \
             prefix        /agents (stripped, and told in X-Forwarded-Prefix)\n  \
             path          /x?q (what the Worker sees)\n"
        );
    }

    #[test]
    fn an_error_is_explained_with_its_reason_and_its_page() {
        let text = explained("https://qa.agents.do/");
        assert!(text.contains("ENVIRONMENT_UNKNOWN"), "{text}");
        assert!(text.contains("`qa` is not an environment"), "{text}");
        assert!(text.contains("built-in `{env}.{worker}.do`"), "{text}");
        assert!(text.contains("#environment_unknown"), "{text}");
        assert!(!text.contains("HOSTNAMES"), "{text}");
    }

    #[test]
    fn an_unknown_host_may_be_a_custom_one() {
        assert!(explained("https://shop.example.com/").contains("HOSTNAMES"));
        assert!(!explained("https://127.0.0.1/").contains("HOSTNAMES"));
    }

    #[test]
    fn a_url_is_read_as_a_runtime_reads_it() {
        let text = explained("AGENTS.do/a/../b");
        assert!(text.starts_with("https://agents.do/b\n"), "{text}");
        assert!(explained("http://agents.localhost:8787").contains("production"));
    }

    #[test]
    fn what_is_no_web_address_is_refused() {
        let router = Router::builtin(Localhost::MirrorsDo);
        for url in ["https://", "ftp://agents.do/", "https://a b/"] {
            let error = explain(&router, url).expect_err(url).to_string();
            assert!(error.contains(url), "{error}");
        }
    }

    #[test]
    fn rules_come_from_a_file_where_one_is_given() {
        let file = std::env::temp_dir().join(format!("dotdo-route-test-{}.json", std::process::id()));
        let arguments = Arguments {
            url: String::new(),
            routes: Some(file.clone()),
            json: false,
        };
        fs::write(
            &file,
            r#"[{"pattern": "{worker}.example.com", "worker": "{worker}", "limits": {"cpu_ms": 5}}]"#,
        )
        .unwrap();
        let explained = text(&explain(&router(&arguments).unwrap(), "https://a.example.com/").unwrap());
        assert!(
            explained.contains("ROUTES[0]") && explained.contains("cpu_ms 5"),
            "{explained}"
        );

        fs::write(&file, r#"[{"pattern": "*.example.com", "worker": "a"}]"#).unwrap();
        let error = format!("{:#}", router(&arguments).unwrap_err());
        assert!(
            error.contains("ROUTES[0]") && error.contains("*.example.com"),
            "{error}"
        );
        fs::remove_file(&file).unwrap();
        assert!(router(&arguments).is_err());
    }
}
