//! `dotdo.jsonc`: its shape, and what a value must look like. The build script and the tests of this crate compile this
//! file; the crate itself only has the constants that [`AccountFile::to_rust`] generates.

use std::fmt::Write as _;

use jsonc_parser::{ParseOptions, parse_to_serde_value};
use serde::Deserialize;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountFile {
    /// For editors.
    #[serde(rename = "$schema")]
    _schema: Option<String>,
    account: Owner,
    namespaces: Namespaces,
    workers: Workers,
    zones: Vec<String>,
    custom_hostname_zone: Option<String>,
    errors_page: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Owner {
    id: String,
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Namespaces {
    production: Namespace,
    staging: Namespace,
    development: Namespace,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Namespace {
    name: String,
    id: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Workers {
    dispatch: String,
    deploy_api: String,
    logs: String,
}

impl AccountFile {
    /// Parses and validates the text of the file.
    ///
    /// # Errors
    /// One sentence for a text that does not parse; otherwise one for each invalid value, with its path.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let account: Self = parse_to_serde_value(text, &strict()).map_err(|error| vec![error.to_string()])?;
        let problems = account.problems();
        if problems.is_empty() {
            Ok(account)
        } else {
            Err(problems)
        }
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut require = |path: &str, value: &str, valid: bool, expected: &str| {
            if !valid {
                problems.push(format!("{path} is \"{value}\": write {expected}"));
            }
        };
        let id = &self.account.id;
        require(
            "account.id",
            id,
            is_hex(id, 32),
            "the account id, 32 lower-case hex digits",
        );
        let name = &self.account.name;
        require(
            "account.name",
            name,
            !name.trim().is_empty(),
            "the account name, as the dashboard shows it",
        );
        for (environment, namespace) in self.environments() {
            let (name, id) = (&namespace.name, &namespace.id);
            let path = format!("namespaces.{environment}");
            require(&format!("{path}.name"), name, is_name(name), NAME);
            require(
                &format!("{path}.name"),
                name,
                name != ACCOUNT,
                "another name: policies and paths mean the account by this one",
            );
            require(
                &format!("{path}.id"),
                id,
                is_uuid(id),
                "the namespace id, a UUID in lower case",
            );
        }
        for (member, name) in [
            ("dispatch", &self.workers.dispatch),
            ("deploy_api", &self.workers.deploy_api),
            ("logs", &self.workers.logs),
        ] {
            require(&format!("workers.{member}"), name, is_name(name), NAME);
        }
        for (index, zone) in self.zones.iter().enumerate() {
            require(&format!("zones[{index}]"), zone, is_domain(zone), DOMAIN);
        }
        if let Some(zone) = &self.custom_hostname_zone {
            require("custom_hostname_zone", zone, is_domain(zone), DOMAIN);
        }
        let page = &self.errors_page;
        require(
            "errors_page",
            page,
            page.strip_prefix("https://").is_some_and(|rest| {
                !rest.is_empty()
                    && !rest.contains(['?', '#', '"', '<', '>'])
                    && !rest.contains(char::is_whitespace)
            }),
            "an https:// URL without `?` and `#`",
        );
        self.check_distinct(&mut problems);
        problems
    }

    /// Values that must differ: two environments in one namespace would overwrite each other's Workers.
    fn check_distinct(&self, problems: &mut Vec<String>) {
        let mut require_distinct = |values: &[(String, &str)]| {
            for (index, (path, value)) in values.iter().enumerate() {
                let earlier = values.iter().take(index).find(|(_, other)| other == value);
                if let Some((earlier, _)) = earlier {
                    problems.push(format!(
                        "{path} is \"{value}\", as {earlier} is: write a different value"
                    ));
                }
            }
        };
        let environments = self.environments();
        require_distinct(
            &environments.map(|(name, it)| (format!("namespaces.{name}.name"), it.name.as_str())),
        );
        require_distinct(&environments.map(|(name, it)| (format!("namespaces.{name}.id"), it.id.as_str())));
        require_distinct(&[
            ("workers.dispatch".to_owned(), self.workers.dispatch.as_str()),
            ("workers.deploy_api".to_owned(), self.workers.deploy_api.as_str()),
            ("workers.logs".to_owned(), self.workers.logs.as_str()),
        ]);
        let zones = self.zones.iter().enumerate();
        let zones = zones.map(|(index, zone)| (format!("zones[{index}]"), zone.as_str()));
        let custom = self.custom_hostname_zone.iter();
        let custom = custom.map(|zone| ("custom_hostname_zone".to_owned(), zone.as_str()));
        require_distinct(&zones.chain(custom).collect::<Vec<_>>());
    }

    fn environments(&self) -> [(&'static str, &Namespace); 3] {
        [
            ("production", &self.namespaces.production),
            ("staging", &self.namespaces.staging),
            ("development", &self.namespaces.development),
        ]
    }

    /// The constants of the crate, as Rust source. A Rust literal of each string is its `Debug` text.
    pub fn to_rust(&self) -> String {
        let mut source = String::new();
        let mut constant = |documentation: &str, name: &str, kind: &str, value: String| {
            // Writing to a String cannot fail.
            let _ = writeln!(
                source,
                "/// {documentation}\npub const {name}: {kind} = {value};\n"
            );
        };
        let text = "&str";
        constant(
            "The id of the Cloudflare account that owns the Workers and the namespaces: 32 hex digits.",
            "ACCOUNT_ID",
            text,
            format!("{:?}", self.account.id),
        );
        constant(
            "The name of that account, as the dashboard shows it.",
            "ACCOUNT_NAME",
            text,
            format!("{:?}", self.account.name),
        );
        constant(
            "The script name of the dispatch Worker.",
            "DISPATCH_WORKER",
            text,
            format!("{:?}", self.workers.dispatch),
        );
        constant(
            "The script name of the deploy API.",
            "DEPLOY_API_WORKER",
            text,
            format!("{:?}", self.workers.deploy_api),
        );
        constant(
            "The script name of the logs Worker.",
            "LOGS_WORKER",
            text,
            format!("{:?}", self.workers.logs),
        );
        constant(
            "The zones whose requests go to the dispatch Worker.",
            "ZONES",
            "&[&str]",
            format!("&{:?}", self.zones),
        );
        constant(
            "The zone of custom hostnames, if there is one.",
            "CUSTOM_HOSTNAME_ZONE",
            "Option<&str>",
            format!("{:?}", self.custom_hostname_zone),
        );
        constant(
            "The public page that explains every error code: `docs/errors.md`. Append `#` and the code in lower case.",
            "ERRORS_PAGE",
            text,
            format!("{:?}", self.errors_page),
        );
        for (environment, namespace) in self.environments() {
            constant(
                &format!("The name and the id of the {environment} namespace."),
                &environment.to_ascii_uppercase(),
                "(&str, &str)",
                format!("({:?}, {:?})", namespace.name, namespace.id),
            );
        }
        source
    }
}

/// The name of the account in the place of a namespace (`Namespace::ACCOUNT`).
const ACCOUNT: &str = "account";

const NAME: &str = "1 to 63 of a-z, 0-9 and '-', without '-' at either end";
const DOMAIN: &str = "a domain in lower case without scheme and path, such as agents.do";

/// JSON with comments and trailing commas, as wrangler reads its own files.
fn strict() -> ParseOptions {
    ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    }
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_uuid(text: &str) -> bool {
    let mut groups = text.split('-');
    [8, 4, 4, 4, 12]
        .into_iter()
        .all(|length| groups.next().is_some_and(|group| is_hex(group, length)))
        && groups.next().is_none()
}

/// A script or namespace name: both are part of URLs, and the former of a `workers.dev` host.
fn is_name(text: &str) -> bool {
    text.len() <= 63
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.is_empty()
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

fn is_domain(text: &str) -> bool {
    text.len() <= 253 && text.contains('.') && text.split('.').all(is_name)
}
