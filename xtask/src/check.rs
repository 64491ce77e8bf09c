//! `npm run check`: finds mistakes in the configuration of the Workers before a deploy does.

mod bindings;
mod deploy_api;
mod dispatch_worker;
mod document;
mod env_example;
mod logs;
mod objects;
mod problems;
mod route_pattern;
mod routes;
mod schema;

use std::{fmt, fs};

use anyhow::{Result, bail};
use clap::Args;
use dotdo_names::Environment;
use serde_json::Value;
use wrangler_config::{ENV_FILE, PlatformWorker, Setting, Zones};

use self::{
    document::Document,
    problems::{Problems, child},
    schema::{Schema, shown},
};
use crate::workspace;

#[derive(Args, Default)]
pub struct Arguments {
    /// Print only problems
    #[arg(long)]
    quiet: bool,
}

/// One line of the output: `wrangler.jsonc:12: routes[0].pattern: …`.
#[derive(Debug)]
struct Finding {
    file: String,
    line: usize,
    message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// Checks the configurations and `.env.example`, and prints every problem in them.
///
/// # Errors
/// If there is a problem, or `npm ci` has not been run.
pub fn run(arguments: &Arguments) -> Result<()> {
    let schema = Schema::load()?;
    let mut count = 0;
    let workers = PlatformWorker::ALL.map(|worker| check_worker(worker, &schema));
    for (file, result) in workers.into_iter().chain([check_env_example()]) {
        match result {
            Ok(summary) if arguments.quiet => drop(summary),
            Ok(summary) => eprintln!("[check] {file}: {summary}: no problems"),
            Err(findings) => {
                count += findings.len();
                for finding in findings {
                    eprintln!("[check] {finding}");
                }
            }
        }
    }
    match count {
        0 => Ok(()),
        1 => bail!("the configuration has 1 problem: correct it before a deploy"),
        _ => bail!("the configuration has {count} problems: correct them before a deploy"),
    }
}

/// A file, and either what it contains or what is wrong with it.
type Checked = (String, Result<String, Vec<Finding>>);

fn check_worker(worker: PlatformWorker, schema: &Schema) -> Checked {
    let file = worker.configuration();
    let result = read(file).and_then(|text| check_text(worker, file, &text, Zones::BUILT, schema));
    (file.to_owned(), result)
}

fn read(file: &str) -> Result<String, Vec<Finding>> {
    fs::read_to_string(workspace::path(file)).map_err(|error| vec![of_file(file, &error)])
}

fn of_file(file: &str, message: &dyn fmt::Display) -> Finding {
    Finding {
        file: file.to_owned(),
        line: 1,
        message: message.to_string(),
    }
}

/// An error of the JSONC parser, whose message ends in `on line 17 column 3`.
fn syntax_error(file: &str, error: &dyn fmt::Display) -> Finding {
    let finding = of_file(file, error);
    let line = finding.message.rsplit_once(" on line ");
    let line = line.and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
    Finding {
        line: line.unwrap_or(finding.line),
        ..finding
    }
}

/// Checks the text of a Worker's configuration: first against wrangler's schema, then against what the Worker reads.
fn check_text(
    worker: PlatformWorker,
    file: &str,
    text: &str,
    zones: Zones<'_>,
    schema: &Schema,
) -> Result<String, Vec<Finding>> {
    let document = Document::parse(text).map_err(|error| vec![syntax_error(file, &error)])?;
    let mut problems = Problems::default();
    schema.check(&document, &mut problems);
    check_named_environments(&document.value, &mut problems);
    check_compatibility_date(&document.value, &mut problems);
    let summary = match worker {
        PlatformWorker::Dispatch => dispatch_worker::check(&document.value, zones, &mut problems),
        PlatformWorker::DeployApi => deploy_api::check(&document.value, &mut problems),
        PlatformWorker::Logs => logs::check(&document.value, &mut problems),
    };
    let mut findings: Vec<Finding> = problems
        .into_vec()
        .into_iter()
        .map(|problem| Finding {
            file: file.to_owned(),
            line: document.line(&problem.pointer),
            message: problem.to_string(),
        })
        .collect();
    if findings.is_empty() {
        return Ok(summary);
    }
    findings.sort_by_key(|finding| finding.line);
    Err(findings)
}

fn check_env_example() -> Checked {
    let file = ENV_FILE;
    let result = read(file).and_then(|text| {
        let findings: Vec<Finding> = env_example::check(&text)
            .into_iter()
            .map(|(line, message)| Finding {
                file: file.to_owned(),
                line,
                message,
            })
            .collect();
        if findings.is_empty() {
            Ok("account and namespaces of dotdo.jsonc".to_owned())
        } else {
            Err(findings)
        }
    });
    (file.to_owned(), result)
}

/// wrangler deploys a named environment as another script, without the bindings of the top level. The environments of the
/// platform are namespaces, and one Worker serves all of them.
fn check_named_environments(configuration: &Value, problems: &mut Problems) {
    for (name, _) in configuration["env"].as_object().into_iter().flatten() {
        problems.add_unusable(
            child("/env", name),
            format!(
                "wrangler would deploy this environment as the separate Worker \"{}-{name}\" without the bindings of the top \
                 level, and nothing would send it requests: remove it, one Worker serves all environments",
                configuration["name"].as_str().unwrap_or_default()
            ),
        );
    }
}

fn check_compatibility_date(configuration: &Value, problems: &mut Problems) {
    let date = &configuration["compatibility_date"];
    let is_date = date
        .as_str()
        .is_some_and(|text| text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok());
    if !is_date {
        let found = if date.is_null() {
            "it is missing".to_owned()
        } else {
            format!("{} is not a date", shown(date))
        };
        problems.add(
            "/compatibility_date",
            format!("{found}: write one such as \"2026-10-01\""),
        );
    }
}

/// The values of a file that follow from `dotdo.jsonc`.
fn settings_of(file: &str) -> impl Iterator<Item = Setting> {
    wrangler_config::settings(Zones::BUILT, |environment: Environment| {
        Some(environment.namespace_id().to_owned())
    })
    .into_iter()
    .filter(move |setting| setting.file == file)
}

/// Checks the members of a Worker's configuration that follow from `dotdo.jsonc`. Missing bindings and routes are reported by others.
fn check_settings(worker: PlatformWorker, configuration: &Value, problems: &mut Problems) {
    for setting in settings_of(worker.configuration()) {
        let (Some(pointer), Some(expected)) = (setting.pointer(configuration), &setting.value) else {
            continue;
        };
        let found = configuration.pointer(&pointer).unwrap_or(&Value::Null);
        must_equal(found, pointer, expected, problems);
    }
}

/// Checks that a top-level member is exactly this text.
fn must_be(configuration: &Value, member: &str, expected: &str, problems: &mut Problems) {
    must_be_at(configuration, member, child("", member), expected, problems);
}

/// Checks that a member, which is at the pointer, is exactly this text.
fn must_be_at(parent: &Value, member: &str, pointer: String, expected: &str, problems: &mut Problems) {
    must_equal(&parent[member], pointer, expected, problems);
}

fn must_equal(found: &Value, pointer: String, expected: &str, problems: &mut Problems) {
    if found.is_null() {
        problems.add(pointer, format!("the member is missing: write \"{expected}\""));
    } else if found != expected {
        problems.add(pointer, format!("write \"{expected}\", not {}", shown(found)));
    }
}

/// Checks the `id` of a binding to a resource.
fn require_id(entry: &Value, pointer: &str, problems: &mut Problems) {
    let pointer = child(pointer, "id");
    let binding = entry["binding"].as_str().unwrap_or_default();
    let advice = format!("write the id that `wrangler kv namespace create {binding}` prints");
    match entry["id"].as_str() {
        None => problems.add(pointer, format!("the id is missing: {advice}")),
        Some(id) if id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) => {}
        Some(id) => problems.add(pointer, format!("\"{id}\" is not 32 hex digits: {advice}")),
    }
}

/// The elements of an array; none if there is no array.
fn elements<'c>(configuration: &'c Value, pointer: &str) -> &'c [Value] {
    configuration
        .pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// The names of the bindings in a section.
fn bindings_of<'c>(configuration: &'c Value, section: &str) -> impl Iterator<Item = &'c str> {
    let (pointer, member) = match section {
        "durable_objects" => ("/durable_objects/bindings".to_owned(), "name"),
        section => (child("", section), "binding"),
    };
    elements(configuration, &pointer)
        .iter()
        .filter_map(move |entry| entry[member].as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_ZONES: Zones<'static> = Zones {
        routed: &[],
        custom_hostnames: None,
    };

    fn repository_file(worker: PlatformWorker) -> String {
        fs::read_to_string(workspace::path(worker.configuration())).unwrap()
    }

    fn findings_in(worker: PlatformWorker, text: &str, zones: Zones<'_>) -> Vec<String> {
        let schema = Schema::load().unwrap();
        check_text(worker, worker.configuration(), text, zones, &schema)
            .err()
            .unwrap_or_default()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    /// The findings in the file of a Worker in the repository, in which `from` is replaced by `to`.
    fn findings(worker: PlatformWorker, from: &str, to: &str) -> Vec<String> {
        let text = repository_file(worker);
        assert!(text.contains(from), "{from}");
        findings_in(worker, &text.replacen(from, to, 1), NO_ZONES)
    }

    /// The dispatch Worker's findings with these members at the end of its file.
    fn with(members: &str) -> Vec<String> {
        findings(
            PlatformWorker::Dispatch,
            "\"preview_urls\": false,",
            &format!("\"preview_urls\": false,\n{members}"),
        )
    }

    #[test]
    fn the_configuration_of_the_repository_has_no_problems() {
        for worker in PlatformWorker::ALL {
            assert_eq!(
                findings_in(worker, &repository_file(worker), Zones::BUILT),
                [""; 0]
            );
        }
        assert!(check_env_example().1.is_ok());
    }

    #[test]
    fn finds_each_mistake_once_with_its_line_and_the_correction() {
        let id = "0123456789abcdef0123456789abcdef";
        let kv = |binding: &str, id: &str| {
            format!("\"kv_namespaces\": [{{ \"binding\": \"{binding}\", \"id\": \"{id}\" }}],")
        };
        for (members, expected) in [
            (
                kv("HOSTNAME", id),
                "kv_namespaces[0].binding: the dispatch Worker does not read \"HOSTNAME\": write \"HOSTNAMES\"",
            ),
            (
                kv("HOSTNAMES", "<the KV namespace>"),
                "kv_namespaces[0].id: \"<the KV namespace>\" contains the placeholder <the KV namespace>",
            ),
            (
                kv("HOSTNAMES", "123"),
                "kv_namespaces[0].id: \"123\" is not 32 hex digits",
            ),
            (
                "\"analytics_engine_datasets\": [{ \"binding\": \"ANALITICS\", \"dataset\": \"d\" }],"
                    .to_owned(),
                "analytics_engine_datasets[0].binding: the dispatch Worker does not read \"ANALITICS\": write \"ANALYTICS\"",
            ),
            (
                "\"analytics_engine_datasets\": [{ \"binding\": \"ANALYTICS\", \"data_set\": \"d\" }],"
                    .to_owned(),
                "analytics_engine_datasets[0].data_set: wrangler does not know this member: write \"dataset\"",
            ),
            (
                "\"workers_de\": true,".to_owned(),
                "workers_de: wrangler does not know this member: ",
            ),
            (
                "\"limits\": { \"cpu_m\": 50 },".to_owned(),
                "limits.cpu_m: wrangler does not know this member: write \"cpu_ms\"",
            ),
            (
                "\"limits\": { \"cpu_ms\": \"50\" },".to_owned(),
                "limits.cpu_ms: \"50\" has the wrong type: write a number",
            ),
            (
                "\"logpush\": \"yes\",".to_owned(),
                "logpush: \"yes\" has the wrong type: write true or false",
            ),
            (
                "\"vars\": [],".to_owned(),
                "vars: [] has the wrong type: write an object",
            ),
            (
                "\"name\": \"dispatcher\",".to_owned(),
                "name: the member occurs twice in one object",
            ),
            (
                "\"routes\": \"agents.do/*\",".to_owned(),
                "routes: \"agents.do/*\" has the wrong type: write an array",
            ),
            (
                "\"routes\": [7],".to_owned(),
                "routes[0]: 7 has the wrong type: write a string or an object",
            ),
            (
                "\"env\": { \"staging\": { \"kv_namespaces\": [{ \"binding\": \"X\" }] } },".to_owned(),
                "env.staging: wrangler would deploy this environment as the separate Worker \"dispatcher-staging\"",
            ),
            (
                "\"vars\": { \"ROUTES\": \"[{]\" },".to_owned(),
                "vars.ROUTES: ROUTES is not a JSON array",
            ),
            (
                "\"hyperdrive\": [{ \"binding\": \"DB\", \"id\": \"x\" }],".to_owned(),
                "hyperdrive[0].binding: the dispatch Worker does not read \"DB\" (it reads nothing from \"hyperdrive\")",
            ),
        ] {
            let found = with(&members);
            assert_eq!(found.len(), 1, "{members}: {found:#?}");
            let (place, message) = found[0].split_once(": ").unwrap();
            assert!(message.starts_with(expected), "{expected}: {found:#?}");
            assert!(
                place.starts_with("wrangler.jsonc:") && place != "wrangler.jsonc:1",
                "{found:#?}"
            );
        }
    }

    #[test]
    fn finds_mistakes_in_existing_members() {
        for (worker, from, to, expected) in [
            (
                PlatformWorker::Dispatch,
                "\"observability\"",
                "\"obsevability\"",
                &["obsevability: wrangler does not know this member: write \"observability\""][..],
            ),
            (
                PlatformWorker::Dispatch,
                "\"dispatch_namespaces\"",
                "\"dispatch_namespace\"",
                &["dispatch_namespace: wrangler does not know this member: write \"dispatch_namespaces\""],
            ),
            (
                PlatformWorker::Dispatch,
                "\"namespace\": \"",
                "\"namspace\": \"",
                &["dispatch_namespaces[0].namspace: wrangler does not know this member: write \"namespace\""],
            ),
            (
                PlatformWorker::Dispatch,
                "\"enabled\"",
                "\"enable\"",
                &["observability.enable: wrangler does not know this member: write \"enabled\""],
            ),
            (
                PlatformWorker::Dispatch,
                "2026-10-01",
                "2026-13-01",
                &["compatibility_date: \"2026-13-01\" is not a date"],
            ),
            (
                PlatformWorker::DeployApi,
                "\"r2_buckets\"",
                "\"r2_bucket\"",
                &["r2_bucket: wrangler does not know this member: write \"r2_buckets\""],
            ),
            (
                PlatformWorker::DeployApi,
                "\"class_name\"",
                "\"class\"",
                &[
                    "durable_objects.bindings[0].class: wrangler does not know this member: write \"class_name\"",
                ],
            ),
            (
                PlatformWorker::DeployApi,
                "\"BUNDLES\"",
                "\"BUNDLE\"",
                &["r2_buckets[0].binding: the deploy API does not read \"BUNDLE\": write \"BUNDLES\""],
            ),
            (
                PlatformWorker::DeployApi,
                "\"OIDC_AUDIENCE\"",
                "\"OIDC_AUDIANCE\"",
                &[
                    "vars.OIDC_AUDIANCE: the deploy API does not read \"OIDC_AUDIANCE\": write \"OIDC_AUDIENCE\"",
                ],
            ),
            (
                PlatformWorker::DeployApi,
                "\"workers_dev\": true",
                "\"workers_dev\": 1",
                &["workers_dev: 1 has the wrong type: write true or false"],
            ),
        ] {
            let found = findings(worker, from, to);
            assert_eq!(found.len(), expected.len(), "{to}: {found:#?}");
            for (found, expected) in found.iter().zip(expected) {
                assert!(found.contains(expected), "{expected}: {found}");
            }
        }
    }

    #[test]
    fn reports_all_mistakes_of_a_file_in_the_order_of_its_lines() {
        let found = with(
            r#""logpus": true,
            "kv_namespaces": [{ "binding": "HOSTNAME", "id": "<id>" }],
            "routes": [
                { "pattern": "agents.do" },
                { "pattern": "agents.do/*", "zone_nam": "agents.do" },
            ],
            "vars": { "LOG_REFUSALS": "yes", "ROUTES": [{ "pattern": "x" }] },"#,
        );
        let expected = [
            "logpus:",
            "kv_namespaces[0].binding:",
            "kv_namespaces[0].id:",
            "routes[0]: a member is missing: add \"zone_id\" or \"zone_name\" or \"custom_domain\"",
            "routes[0].pattern:",
            "routes[1].zone_nam:",
            "routes[1].pattern:",
            "vars.LOG_REFUSALS:",
            "vars.ROUTES[0]:",
        ];
        for expected in expected {
            assert!(
                found.iter().any(|finding| finding.contains(expected)),
                "{expected}: {found:#?}"
            );
        }
        let lines: Vec<usize> = found
            .iter()
            .map(|finding| finding.split(':').nth(1).unwrap().parse().unwrap())
            .collect();
        assert!(lines.is_sorted(), "{found:#?}");
    }

    #[test]
    fn reports_a_file_that_does_not_parse() {
        let found = findings(PlatformWorker::Dispatch, "\"minify\"", "minify");
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].contains("line "), "{found:#?}");
        let text = repository_file(PlatformWorker::Dispatch).replacen(
            "\"preview_urls\": false,",
            "\"preview_urls\" false,",
            1,
        );
        let line = text
            .lines()
            .position(|line| line.contains("preview_urls"))
            .unwrap()
            + 1;
        let findings = findings_in(PlatformWorker::Dispatch, &text, NO_ZONES);
        assert!(
            findings[0].starts_with(&format!("wrangler.jsonc:{line}: ")),
            "{findings:?}"
        );
    }
}
