use std::fmt;

use dotdo_names::{Environment, InvalidWorkerName};
use thiserror::Error;

/// A mistake in a rule's pattern or target. Each sentence says what to write instead.
#[derive(Debug, Error)]
pub(super) enum Problem<'t> {
    /// `"pattern": ""`.
    #[error("the pattern is empty; write a host such as `{{worker}}.example.com`")]
    PatternEmpty,
    /// The pattern is too long.
    #[error("the pattern has more than {longest} characters")]
    PatternTooLong {
        /// The longest valid pattern.
        longest: usize,
    },
    /// `https://…`.
    #[error("a pattern has no scheme: remove everything up to `://`")]
    Scheme,
    /// `example.com:8080`.
    #[error("a pattern has no port: every port matches")]
    Port,
    /// `example.com.`.
    #[error("remove the dot at the end of the host: a request matches with and without it")]
    TrailingDot,
    /// `a..b`, or no host in front of the path.
    #[error("the host has an empty label: write one dot between labels")]
    LabelEmpty,
    /// No host can match it.
    #[error("a label of the host has at least {shortest} characters, but the DNS allows only {longest}")]
    LabelTooLong {
        /// Its length with the shortest captures.
        shortest: usize,
        /// What the DNS allows.
        longest: usize,
    },
    /// No host can match it.
    #[error("the host has more than {longest} characters even with the shortest captures")]
    HostTooLong {
        /// What the DNS allows.
        longest: usize,
    },
    /// `10.0.0.1`.
    #[error("the host is an IP address, which is never served: write a host name")]
    AddressLiteral,
    /// `agents.{tld}`.
    #[error(
        "the host's last label is a capture, so any domain would match: write a literal label, as in `{{worker}}.example.com`"
    )]
    LastLabelCaptured,
    /// `Example.com`.
    #[error("hosts are compared in lower case: write `{}`", text.to_ascii_lowercase())]
    UpperCase {
        /// The label.
        text: &'t str,
    },
    /// `müller.example`.
    #[error("`{text}` is Unicode, but requests carry punycode: write the label that begins with `xn--`")]
    UnicodeHost {
        /// The label.
        text: &'t str,
    },
    /// `/größe`.
    #[error("`{text}` is Unicode, but requests carry percent-encoded UTF-8: write it as `%…`")]
    UnicodePath {
        /// The segment.
        text: &'t str,
    },
    /// `*.example.com`.
    #[error(
        "`*` is only allowed at the end of a path: for any label write a capture, as in `{{worker}}.example.com`"
    )]
    StarInHost,
    /// `/a*`, `/*/a`.
    #[error(
        "`*` is only allowed at the end of a path, as `/*`: for one segment write a capture, as in `/{{app}}/*`"
    )]
    StarInPath,
    /// `/a//b`.
    #[error("the path has an empty segment: write one slash between segments")]
    SegmentEmpty,
    /// `/a/../b`.
    #[error("`.` and `..` are resolved before a request arrives: write the path that they lead to")]
    DotSegment,
    /// `/a?b`.
    #[error("a pattern cannot contain `{character}`: queries and fragments are not compared")]
    QueryInPath {
        /// `?` or `#`.
        character: char,
    },
    /// Any other character that a request cannot have there.
    #[error("the character `{}` cannot match: {place}", character.escape_default())]
    Character {
        /// The first of them.
        character: char,
        /// Host or path.
        place: Place,
    },

    /// `{worker`.
    #[error("`{text}` has a `{{` without a `}}`")]
    BraceOpen {
        /// The label, segment or template.
        text: &'t str,
    },
    /// `worker}`.
    #[error("`{text}` has a `}}` without a `{{`")]
    BraceClose {
        /// The label, segment or template.
        text: &'t str,
    },
    /// `{Worker}`, `{}`.
    #[error(
        "`{{{name}}}` is not a valid capture: a name begins with a-z, has only a-z, 0-9 and `_`, and at most {longest} \
         characters"
    )]
    CaptureName {
        /// Between the braces.
        name: &'t str,
        /// The longest valid name.
        longest: usize,
    },
    /// `{a}.{a}.example.com`.
    #[error("the pattern has the capture `{{{name}}}` twice: rename one of them")]
    CaptureTwice {
        /// Between the braces.
        name: &'t str,
    },
    /// `{a}{b}.example.com`.
    #[error(
        "two captures in `{text}` have no text between them, so it is not clear where one ends: write text between them"
    )]
    CapturesAdjacent {
        /// The label or segment.
        text: &'t str,
    },
    /// Too many captures.
    #[error("the pattern has more than {most} captures")]
    TooManyCaptures {
        /// The largest valid number.
        most: usize,
    },
    /// In the pattern, but not in the target.
    #[error("the target does not use the capture `{{{name}}}`: {}", unused(name))]
    CaptureUnused {
        /// Between the braces.
        name: String,
    },
    /// In the target, but not in the pattern.
    #[error(
        "the target uses `{{{name}}}`, which the pattern does not capture: add it to the pattern, or remove it from the target"
    )]
    CaptureMissing {
        /// Between the braces.
        name: &'t str,
    },

    /// `{env}` in a Worker's name.
    #[error(
        "`{{env}}` selects the environment and cannot be part of a Worker's name: write it in \"environment\""
    )]
    EnvInWorker,
    /// The Worker's name is invalid for every request.
    #[error("no request can reach the Worker `{worker}`: {reason}")]
    WorkerInvalid {
        /// The name or template.
        worker: &'t str,
        /// What is wrong with it, with the shortest captures.
        reason: InvalidWorkerName,
    },
    /// The target names an unknown environment.
    #[error("`{text}` is not an environment: write `production`, `staging`, `development` or `{{env}}`")]
    EnvironmentUnknown {
        /// The text in the rule.
        text: &'t str,
    },
    /// Host and target name different environments.
    #[error(
        "the host names the environment `{label}`, but the target's environment is {}: correct one of them",
        environment.map_or("`{env}`", Environment::name)
    )]
    EnvironmentContradicted {
        /// The environment's label in the pattern.
        label: &'t str,
        /// The target's environment; `None` for `{env}`.
        environment: Option<Environment>,
    },

    /// There is no prefix to strip.
    #[error("\"strip_prefix\" needs a path that ends in `/*`, with at least one segment before it")]
    NothingToStrip,
}

fn unused(name: &str) -> &'static str {
    match name {
        "env" => "write \"environment\": \"{env}\", or replace it with a literal label",
        _ => "use it in \"worker\", or replace it with literal text",
    }
}

/// The place of a part in a pattern, which determines the characters of its literal text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A label of the host.
    Host,
    /// A segment of the path.
    Path,
}

impl fmt::Display for Place {
    /// The characters that are allowed there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Host => "a host has only a-z, 0-9, `-` and `_`",
            Self::Path => {
                "a path has only a-z, A-Z, 0-9 and -._~!$&'()+,;=:@, and any other character as `%…`"
            }
        })
    }
}
