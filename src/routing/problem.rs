use std::fmt;

use dotdo_names::{Environment, InvalidWorkerName};
use thiserror::Error;

/// What is wrong with one rule. Each sentence says what to write instead.
#[derive(Debug, Error)]
pub(super) enum Problem<'t> {
    /// `"pattern": ""`.
    #[error("the pattern is empty; write a host such as `{{worker}}.example.com`")]
    PatternEmpty,
    /// Longer than any pattern needs to be.
    #[error("the pattern has more than {longest} characters")]
    PatternTooLong {
        /// The longest that loads.
        longest: usize,
    },
    /// `https://…`.
    #[error("a pattern has no scheme: leave out everything up to `://`")]
    Scheme,
    /// `example.com:8080`.
    #[error("a pattern has no port: every port matches")]
    Port,
    /// `example.com.`.
    #[error("leave out the dot at the end of the host: a request matches with it and without it")]
    TrailingDot,
    /// `a..b`, or no host in front of the path.
    #[error("the host has an empty label; write labels with one dot between them")]
    LabelEmpty,
    /// No request could match it.
    #[error(
        "a label of the host has at least {shortest} characters, and none in the DNS has more than {longest}"
    )]
    LabelTooLong {
        /// With the shortest captures.
        shortest: usize,
        /// What the DNS allows.
        longest: usize,
    },
    /// No request could match it.
    #[error("the host has more than {longest} characters even with the shortest captures")]
    HostTooLong {
        /// What the DNS allows.
        longest: usize,
    },
    /// `10.0.0.1`.
    #[error("the host is an IP address, and those are never served: write a name")]
    AddressLiteral,
    /// `agents.{tld}`.
    #[error(
        "the host's last label is a capture, so any domain would match: write it out, as in `{{worker}}.example.com`"
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
        "`*` stands only at the end of a path: for any label write a capture, as in `{{worker}}.example.com`"
    )]
    StarInHost,
    /// `/a*`, `/*/a`.
    #[error(
        "`*` stands only at the end of a path, as `/*`: for one segment write a capture, as in `/{{app}}/*`"
    )]
    StarInPath,
    /// `/a//b`.
    #[error("the path has an empty segment; write one slash between segments")]
    SegmentEmpty,
    /// `/a/../b`.
    #[error("`.` and `..` are resolved before a request arrives: write the path that they lead to")]
    DotSegment,
    /// `/a?b`.
    #[error("a pattern ends before `{character}`: queries and fragments are not compared")]
    QueryInPath {
        /// `?` or `#`.
        character: char,
    },
    /// Any other character that no request could have there.
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
        "`{{{name}}}` is no capture: write a-z first, then a-z, 0-9 or `_`, at most {longest} characters"
    )]
    CaptureName {
        /// Between the braces.
        name: &'t str,
        /// The longest that loads.
        longest: usize,
    },
    /// `{a}.{a}.example.com`.
    #[error("the capture `{{{name}}}` stands twice in the pattern: give the second another name")]
    CaptureTwice {
        /// Between the braces.
        name: &'t str,
    },
    /// `{a}{b}.example.com`.
    #[error("two captures touch in `{text}`, so nothing says where one ends: write text between them")]
    CapturesAdjacent {
        /// The label or segment.
        text: &'t str,
    },
    /// More than any rule needs.
    #[error("the pattern has more than {most} captures")]
    TooManyCaptures {
        /// The most that load.
        most: usize,
    },
    /// In the pattern, but of no use.
    #[error("no target uses the capture `{{{name}}}`: {}", unused(name))]
    CaptureUnused {
        /// Between the braces.
        name: String,
    },
    /// In the target, but not in the pattern.
    #[error(
        "the target uses `{{{name}}}`, which the pattern does not capture: add it to the pattern, or leave it out"
    )]
    CaptureMissing {
        /// Between the braces.
        name: &'t str,
    },

    /// `{env}` in a Worker's name.
    #[error(
        "`{{env}}` chooses the environment and is no part of a Worker's name: write it in \"environment\""
    )]
    EnvInWorker,
    /// No request could make a valid name of it.
    #[error("the Worker `{worker}` could never be reached: {reason}")]
    WorkerInvalid {
        /// The name or template.
        worker: &'t str,
        /// What is wrong with it, with the shortest captures.
        reason: InvalidWorkerName,
    },
    /// None of the environments.
    #[error("`{text}` is no environment: write `production`, `staging`, `development` or `{{env}}`")]
    EnvironmentUnknown {
        /// As it was written.
        text: &'t str,
    },
    /// The host says one environment, the target another.
    #[error(
        "the host names `{label}`, so the rule must have that environment, not {}: correct one of them",
        environment.map_or("`{env}`", Environment::name)
    )]
    EnvironmentContradicted {
        /// The environment's label in the pattern.
        label: &'t str,
        /// The target's environment; none for `{env}`.
        environment: Option<Environment>,
    },

    /// Nothing to strip.
    #[error("\"strip_prefix\" needs a path that ends in `/*`, with at least one segment in front of it")]
    NothingToStrip,
}

fn unused(name: &str) -> &'static str {
    match name {
        "env" => "write \"environment\": \"{env}\", or a literal label in its place",
        _ => "use it in \"worker\", or write a literal text in its place",
    }
}

/// Where a part of a pattern stands, which decides what its literal text may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a label of the host.
    Host,
    /// In a segment of the path.
    Path,
}

impl fmt::Display for Place {
    /// What a text may hold there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Host => "a host has only a-z, 0-9, `-` and `_`",
            Self::Path => "a path has only a-z, A-Z, 0-9 and -._~!$&'()+,;=:@, and everything else as `%…`",
        })
    }
}
