use super::index::Index;
use super::part::Alphabet;
use super::path::Path;
use super::pattern::Subject;
use super::routes::{RulesError, RulesProblem};
use super::rule::Rule;
use super::search::Search;
use super::{builtin, routes};

/// Rules in order, and an index over them.
#[derive(Debug)]
pub struct Router {
    pub(super) rules: Vec<Rule>,
    pub(super) index: Index,
}

/// What the top-level domain `.localhost`, which every browser resolves to its own machine (RFC 6761, section 6.3),
/// means to a [`Router`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Localhost {
    /// Nothing: what is deployed.
    Unserved,
    /// The same as `.do`: on a developer's machine. Rules that are written for `.localhost` come first.
    MirrorsDo,
}

impl Router {
    /// The built-in rules alone.
    #[must_use]
    pub fn builtin(localhost: Localhost) -> Self {
        let mut router = Self {
            rules: Vec::new(),
            index: Index::new(),
        };
        router.push_builtin(localhost);
        router
    }

    /// The rules of `ROUTES` (a JSON array, see the [module](super)) in front of the built-in ones.
    ///
    /// # Errors
    /// Every rule that is invalid, and every one that an earlier rule of `ROUTES` shadows. A built-in rule may be shadowed.
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
        let rules = builtin::rules();
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
        let (host, path) = rule.pattern.sample();
        let subject = Subject {
            host: &host,
            path: Path::new(&path),
            alphabet: Alphabet::Sample,
        };
        let mut search = Search::new(&self.rules, subject);
        self.index.propose(subject, &mut search);
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
