use super::index::Index;
use super::pattern::{Alphabet, Subject};
use super::routes::{self, RulesError, RulesProblem};
use super::rule::{Origin, Rule, RuleSource};
use super::search::Search;
use super::url::Path;

/// Rules in order, and an index over them.
#[derive(Debug)]
pub struct Router {
    pub(super) rules: Vec<Rule>,
    pub(super) index: Index,
}

/// How a [`Router`] treats the top-level domain `.localhost`, which every browser resolves to its own machine (RFC
/// 6761, section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Localhost {
    /// It is like any other domain: in the deployed Worker.
    Unserved,
    /// It is the same as `.do`: on a developer's machine. Rules that are written for `.localhost` come first.
    MirrorsDo,
}

impl Router {
    /// A router with only the built-in rules.
    #[must_use]
    pub fn builtin(localhost: Localhost) -> Self {
        let mut router = Self {
            rules: Vec::new(),
            index: Index::new(),
        };
        router.push_builtin(localhost);
        router
    }

    /// A router with the rules of `ROUTES` (a JSON array, see the [module](super)) in front of the built-in ones.
    ///
    /// # Errors
    /// Every rule that is invalid, and every one that an earlier rule of `ROUTES` shadows. A built-in rule may be
    /// shadowed.
    pub fn with_routes(json: &str, localhost: Localhost) -> Result<Self, RulesError> {
        let mut router = Self {
            rules: Vec::new(),
            index: Index::new(),
        };
        let mut problems = Vec::new();
        for (index, element) in routes::elements(json)?.into_iter().enumerate() {
            match routes::parse_rule(index, element) {
                Ok(rule) => match router.shadowing(&rule) {
                    None => router.push(rule),
                    Some(earlier) => problems.push(RulesProblem::Unreachable {
                        rule: rule.to_string(),
                        shadowing: earlier.to_string(),
                    }),
                },
                Err(invalid) => problems.extend(invalid),
            }
        }
        if !problems.is_empty() {
            return Err(RulesError::new(problems));
        }
        let mirrors = mirrors(&router.rules, localhost);
        router.push_all(mirrors);
        router.push_builtin(localhost);
        Ok(router)
    }

    fn push_builtin(&mut self, localhost: Localhost) {
        let rules = builtin();
        let mirrors = mirrors(&rules, localhost);
        self.push_all(rules);
        self.push_all(mirrors);
    }

    fn push_all(&mut self, rules: Vec<Rule>) {
        for rule in rules {
            self.push(rule);
        }
    }

    fn push(&mut self, rule: Rule) {
        self.index.insert(self.rules.len(), &rule.pattern);
        self.rules.push(rule);
    }

    /// The rule that matches every request that `rule` matches, so that `rule` would be unreachable behind it.
    fn shadowing(&self, rule: &Rule) -> Option<&Rule> {
        let (host, path) = rule.pattern.witness();
        let subject = Subject {
            host: &host,
            path: Path::new(&path),
            alphabet: Alphabet::Witness,
        };
        let mut search = Search::new(&self.rules, subject);
        self.index.visit_candidates(subject, &mut search);
        self.rules.get(search.decided()?.number)
    }

    /// Every rule, in order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }
}

fn mirrors(rules: &[Rule], localhost: Localhost) -> Vec<Rule> {
    match localhost {
        Localhost::Unserved => Vec::new(),
        Localhost::MirrorsDo => rules.iter().filter_map(Rule::under_localhost).collect(),
    }
}

/// The platform's own rules, in order: pattern, Worker, environment, whether the path's prefix is stripped.
///
/// A rule with `{env}` matches only an environment's label, so those rules come first and the others are for
/// production.
const BUILTIN: [(&str, &str, &str, bool); 8] = [
    ("{env}.apis.do/{worker}/*", "{worker}", "{env}", true),
    // In one label, so that one certificate for `*.apis.do` covers it.
    ("{worker}--{env}.apis.do", "{worker}", "{env}", false),
    ("{env}.{worker}.do", "{worker}", "{env}", false),
    ("{worker}.{env}.do", "{worker}", "{env}", false),
    ("www.{worker}.do", "{worker}", "production", false),
    ("{worker}.apis.do", "{worker}", "production", false),
    ("apis.do/{worker}/*", "{worker}", "production", true),
    ("{worker}.do", "{worker}", "production", false),
];

/// Parses the platform's own rules. The table is constant, and every test loads it.
fn builtin() -> Vec<Rule> {
    let rule = |(pattern, worker, environment, strip_prefix)| {
        let source = RuleSource {
            pattern,
            worker,
            environment,
            strip_prefix,
            limits: None,
            outbound: None,
        };
        // `expect` would add the `Debug` code of every problem to the Worker.
        Rule::parse(Origin::BuiltIn, source).unwrap_or_else(|_| unreachable!("a built-in rule loads"))
    };
    BUILTIN.into_iter().map(rule).collect()
}
