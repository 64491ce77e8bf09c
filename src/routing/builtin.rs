use super::rule::{Origin, Rule, RuleSource};

/// The platform's own rules, in order: pattern, Worker, environment, whether the path's prefix is stripped.
///
/// A rule with `{env}` only wins where an environment stands, so those come first, and what they leave is production.
const RULES: [(&str, &str, &str, bool); 8] = [
    ("{env}.apis.do/{worker}/*", "{worker}", "{env}", true),
    // One label, so that one certificate for `*.apis.do` covers it.
    ("{worker}--{env}.apis.do", "{worker}", "{env}", false),
    ("{env}.{worker}.do", "{worker}", "{env}", false),
    ("{worker}.{env}.do", "{worker}", "{env}", false),
    ("www.{worker}.do", "{worker}", "production", false),
    ("{worker}.apis.do", "{worker}", "production", false),
    ("apis.do/{worker}/*", "{worker}", "production", true),
    ("{worker}.do", "{worker}", "production", false),
];

/// Parses the platform's own rules. The table is constant, and every test loads it.
pub(super) fn rules() -> Vec<Rule> {
    let rule = |(pattern, worker, environment, strip_prefix)| {
        let source = RuleSource {
            pattern,
            worker,
            environment,
            strip_prefix,
            limits: None,
            outbound: None,
        };
        // `expect` would bring the Debug of every problem into the Worker.
        Rule::parse(Origin::BuiltIn, source).unwrap_or_else(|_| unreachable!("a built-in rule loads"))
    };
    RULES.into_iter().map(rule).collect()
}
