use dotdo_names::Environment;

use super::host::last_label;
use super::pattern::{ANY_ENVIRONMENT, ENV, Part, PartCaptures, Pattern, Subject};
use super::url::Path;

/// A trie over the host's labels, from the last to the first, and then over the path's segments, from the first to the
/// last. Literal parts are found by their text, and parts with a capture by their text in front of and behind the
/// captures, so that a decision takes as long with 10,000 rules as with 10. (Only rules that differ in nothing but the
/// text between two captures of one label are tried one by one.)
///
/// The index only selects candidates: each of them must still be matched with the request.
#[derive(Debug)]
pub(super) struct Index {
    nodes: Vec<Node>,
}

/// Receives the candidates that an [`Index`] selects.
pub(super) trait RuleVisitor {
    /// Whether `{env}` also matches a text that is not an environment's label.
    const ANY_ENVIRONMENT_LABEL: bool;
    /// Whether a rule with that number, or a later one, can still change the result.
    fn is_open(&self, number: usize) -> bool;
    /// Visits a rule that may match.
    fn visit(&mut self, number: usize);
}

/// The number of the root: the end of every host.
const ROOT: usize = 0;

#[derive(Debug, Default)]
struct Node {
    /// The lowest number of the rules below. The node is skipped if an earlier rule has decided.
    first: usize,
    literals: ByText,
    /// The part `{env}`, which is followed only for an environment's label.
    environment: Option<usize>,
    /// Other parts that begin and end with a capture.
    captures: Option<usize>,
    /// Parts with text before or after their captures, first by the text before…
    before: Affixes,
    /// …and then, in the next node, by the text after.
    after: Affixes,
    /// The root of the paths of the host that ends here.
    paths: Option<usize>,
    /// Rules whose path ends here.
    closed: Vec<usize>,
    /// Rules whose path ends here in `/*`, or that have no path.
    open: Vec<usize>,
}

/// Texts at one end of a part.
#[derive(Debug, Default)]
struct Affixes {
    /// The distinct lengths of the texts.
    lengths: Vec<usize>,
    nodes: ByText,
}

impl Index {
    pub(super) fn new() -> Self {
        Self {
            nodes: vec![Node::default()],
        }
    }

    /// Adds a rule. The numbers must ascend.
    pub(super) fn insert(&mut self, number: usize, pattern: &Pattern) {
        let environment = pattern.capture(ENV);
        let mut node = ROOT;
        for part in &pattern.labels {
            node = self.child(node, part, environment, number);
        }
        node = self.step(node, number, |node, next| *node.paths.get_or_insert(next));
        for part in &pattern.segments {
            node = self.child(node, part, environment, number);
        }
        if let Some(node) = self.nodes.get_mut(node) {
            if pattern.open {
                node.open.push(number);
            } else {
                node.closed.push(number);
            }
        }
    }

    fn child(&mut self, node: usize, part: &Part, environment: Option<usize>, number: usize) -> usize {
        let part = match part {
            Part::Literal(literal) => {
                return self.step(node, number, |node, next| {
                    node.literals.get_or_insert(literal, next)
                });
            }
            Part::Captures(part) => part,
        };
        let PartCaptures { before, after, .. } = part;
        if part.only_capture().is_some_and(|only| Some(only) == environment) {
            self.step(node, number, |node, next| *node.environment.get_or_insert(next))
        } else if before.is_empty() && after.is_empty() {
            self.step(node, number, |node, next| *node.captures.get_or_insert(next))
        } else {
            let middle = self.step(node, number, |node, next| node.before.get_or_insert(before, next));
            self.step(middle, number, |node, next| node.after.get_or_insert(after, next))
        }
    }

    /// The child that `slot` returns. If it returns the number that it receives, the child is a new node.
    fn step(&mut self, node: usize, first: usize, slot: impl FnOnce(&mut Node, usize) -> usize) -> usize {
        let next = self.nodes.len();
        let child = self.nodes.get_mut(node).map_or(next, |node| slot(node, next));
        if child == next {
            self.nodes.push(Node {
                first,
                ..Node::default()
            });
        }
        child
    }

    /// Visits every rule that may match and can still change the result.
    pub(super) fn visit_candidates(&self, subject: Subject<'_>, visitor: &mut impl RuleVisitor) {
        self.host(ROOT, Some(subject.host), subject.path, visitor);
    }

    fn node(&self, number: usize, visitor: &impl RuleVisitor) -> Option<&Node> {
        self.nodes.get(number).filter(|node| visitor.is_open(node.first))
    }

    fn host<S: RuleVisitor>(&self, number: usize, host: Option<&str>, path: Path<'_>, visitor: &mut S) {
        let Some(node) = self.node(number, visitor) else {
            return;
        };
        if let Some(host) = host {
            let (label, rest) = last_label(host);
            self.children::<S>(node, label, |child| self.host(child, rest, path, visitor));
        } else if let Some(paths) = node.paths {
            self.path(paths, path, visitor);
        }
    }

    fn path<S: RuleVisitor>(&self, number: usize, path: Path<'_>, visitor: &mut S) {
        let Some(node) = self.node(number, visitor) else {
            return;
        };
        node.open.iter().for_each(|&rule| visitor.visit(rule));
        match path.next() {
            Some((segment, rest)) => {
                self.children::<S>(node, segment, |child| self.path(child, rest, visitor));
            }
            None => node.closed.iter().for_each(|&rule| visitor.visit(rule)),
        }
    }

    /// The children of a node that a label or segment leads to.
    fn children<S: RuleVisitor>(&self, node: &Node, text: &str, mut visit: impl FnMut(usize)) {
        if let Some(child) = node.literals.get(text) {
            visit(child);
        }
        if let Some(child) = node.environment
            && (S::ANY_ENVIRONMENT_LABEL || is_environment(text))
        {
            visit(child);
        }
        if let Some(child) = node.captures {
            visit(child);
        }
        for &length in &node.before.lengths {
            let Some((before, rest)) = text.split_at_checked(length) else {
                continue;
            };
            if let Some(middle) = node
                .before
                .nodes
                .get(before)
                .and_then(|node| self.nodes.get(node))
            {
                middle.after.at_the_end_of(rest, &mut visit);
            }
        }
    }
}

fn is_environment(label: &str) -> bool {
    Environment::from_host_label(label).is_some() || label == ANY_ENVIRONMENT
}

impl Affixes {
    fn get_or_insert(&mut self, text: &str, node: usize) -> usize {
        if !self.lengths.contains(&text.len()) {
            self.lengths.push(text.len());
        }
        self.nodes.get_or_insert(text, node)
    }

    fn at_the_end_of(&self, text: &str, mut visit: impl FnMut(usize)) {
        for &length in &self.lengths {
            let start = text.len().checked_sub(length);
            let end = start.and_then(|start| text.get(start..));
            if let Some(node) = end.and_then(|end| self.nodes.get(end)) {
                visit(node);
            }
        }
    }
}

/// A map from texts to numbers, as a sorted list. A hash table would be faster only with thousands of rules, and its
/// code would make the start of every isolate slower.
#[derive(Debug, Default)]
pub(super) struct ByText {
    sorted: Vec<(Box<str>, usize)>,
}

/// Up to this many texts, comparing one by one is faster than a binary search.
const FEW: usize = 4;

impl ByText {
    pub(super) fn get(&self, text: &str) -> Option<usize> {
        let found = if self.sorted.len() <= FEW {
            self.sorted.iter().find(|(key, _)| **key == *text)
        } else {
            self.sorted.get(self.position(text).ok()?)
        };
        found.map(|&(_, number)| number)
    }

    /// The number of `text`. If there is none, `number` is stored and returned.
    pub(super) fn get_or_insert(&mut self, text: &str, number: usize) -> usize {
        match self.position(text) {
            Ok(position) => self.sorted.get(position).map_or(number, |&(_, known)| known),
            Err(position) => {
                self.sorted.insert(position, (text.into(), number));
                number
            }
        }
    }

    fn position(&self, text: &str) -> Result<usize, usize> {
        self.sorted.binary_search_by(|(key, _)| (**key).cmp(text))
    }
}
