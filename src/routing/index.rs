use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::part::Part;
use super::path::Path;
use super::pattern::Pattern;
use super::search::Search;

/// A trie over the host's labels, from the last to the first, and then over the path's segments, from the first to the
/// last. Literal parts are found by hash, and parts with a capture by their text in front of and behind the captures,
/// so that a decision takes as long with 10,000 rules as with 10.
///
/// It only proposes: a rule that a request reaches here still judges the request itself.
#[derive(Debug)]
pub(super) struct Index {
    nodes: Vec<Node>,
}

/// The number of the root: the end of every host.
const ROOT: usize = 0;

type ByText = HashMap<Box<str>, usize, BuildHasherDefault<TextHasher>>;

#[derive(Debug, Default)]
struct Node {
    /// The lowest number of the rules below: a node is left out once an earlier rule has decided.
    first: usize,
    literals: ByText,
    /// Parts that begin and end with a capture.
    captures: Option<usize>,
    /// Parts with a text in front of or behind their captures: first by the text in front…
    before: Affixes,
    /// …and then, one node on, by the text behind.
    after: Affixes,
    /// The root of the paths of the host that ends here.
    paths: Option<usize>,
    /// Rules whose path ends here.
    closed: Vec<usize>,
    /// Rules whose path ends here in `/*`, or that have none.
    open: Vec<usize>,
}

/// Texts at one end of a part.
#[derive(Debug, Default)]
struct Affixes {
    /// Every length that a text has.
    lengths: Vec<usize>,
    nodes: ByText,
}

impl Index {
    pub(super) fn new() -> Self {
        Self {
            nodes: vec![Node::default()],
        }
    }

    /// Adds a rule; numbers are given in rising order.
    pub(super) fn insert(&mut self, number: usize, pattern: &Pattern) {
        let mut node = ROOT;
        for part in &pattern.labels {
            node = self.child(node, part, number);
        }
        node = self.step(node, number, |node| &mut node.paths);
        for part in &pattern.segments {
            node = self.child(node, part, number);
        }
        if let Some(node) = self.nodes.get_mut(node) {
            if pattern.open {
                node.open.push(number);
            } else {
                node.closed.push(number);
            }
        }
    }

    fn child(&mut self, node: usize, part: &Part, number: usize) -> usize {
        let part = match part {
            Part::Literal(literal) => {
                return self.keyed_step(node, number, literal, |node| &mut node.literals);
            }
            Part::Captures(part) => part,
        };
        if part.before.is_empty() && part.after.is_empty() {
            return self.step(node, number, |node| &mut node.captures);
        }
        let before = self.affix_step(node, number, &part.before, |node| &mut node.before);
        self.affix_step(before, number, &part.after, |node| &mut node.after)
    }

    fn affix_step(
        &mut self,
        node: usize,
        number: usize,
        text: &str,
        affixes: fn(&mut Node) -> &mut Affixes,
    ) -> usize {
        if let Some(node) = self.nodes.get_mut(node) {
            let lengths = &mut affixes(node).lengths;
            if !lengths.contains(&text.len()) {
                lengths.push(text.len());
            }
        }
        let next = self.nodes.len();
        let Some(node) = self.nodes.get_mut(node) else {
            return next;
        };
        let child = *affixes(node).nodes.entry(text.into()).or_insert(next);
        self.create(child, number)
    }

    fn keyed_step(
        &mut self,
        node: usize,
        number: usize,
        text: &str,
        keyed: fn(&mut Node) -> &mut ByText,
    ) -> usize {
        let next = self.nodes.len();
        let Some(node) = self.nodes.get_mut(node) else {
            return next;
        };
        let child = *keyed(node).entry(text.into()).or_insert(next);
        self.create(child, number)
    }

    fn step(&mut self, node: usize, number: usize, slot: fn(&mut Node) -> &mut Option<usize>) -> usize {
        let next = self.nodes.len();
        let Some(node) = self.nodes.get_mut(node) else {
            return next;
        };
        let child = *slot(node).get_or_insert(next);
        self.create(child, number)
    }

    fn create(&mut self, node: usize, first: usize) -> usize {
        if node == self.nodes.len() {
            self.nodes.push(Node {
                first,
                ..Node::default()
            });
        }
        node
    }

    /// Offers to `search` every rule that could match its subject and still matter.
    pub(super) fn propose(&self, search: &mut Search<'_, '_>) {
        self.host(ROOT, Some(search.subject().host), search);
    }

    fn node(&self, number: usize, search: &Search<'_, '_>) -> Option<&Node> {
        self.nodes.get(number).filter(|node| search.is_open(node.first))
    }

    fn host(&self, number: usize, rest: Option<&str>, search: &mut Search<'_, '_>) {
        let Some(node) = self.node(number, search) else {
            return;
        };
        match rest {
            Some(rest) => {
                let (rest, label) = rest
                    .rsplit_once('.')
                    .map_or((None, rest), |(rest, label)| (Some(rest), label));
                self.children(node, label, &mut |child| self.host(child, rest, search));
            }
            None => {
                if let Some(paths) = node.paths {
                    self.path(paths, search.subject().path, search);
                }
            }
        }
    }

    fn path(&self, number: usize, path: Path<'_>, search: &mut Search<'_, '_>) {
        let Some(node) = self.node(number, search) else {
            return;
        };
        node.open.iter().for_each(|&rule| search.offer(rule));
        match path.next() {
            Some((segment, rest)) => {
                self.children(node, segment, &mut |child| self.path(child, rest, search));
            }
            None => node.closed.iter().for_each(|&rule| search.offer(rule)),
        }
    }

    /// The children of a node that a label or segment leads to.
    fn children(&self, node: &Node, text: &str, visit: &mut dyn FnMut(usize)) {
        if let Some(&child) = node.literals.get(text) {
            visit(child);
        }
        if let Some(child) = node.captures {
            visit(child);
        }
        for &length in &node.before.lengths {
            let Some((before, rest)) = text.split_at_checked(length) else {
                continue;
            };
            let Some(between) = node
                .before
                .nodes
                .get(before)
                .and_then(|&node| self.nodes.get(node))
            else {
                continue;
            };
            for &length in &between.after.lengths {
                let Some((_, after)) = rest
                    .len()
                    .checked_sub(length)
                    .and_then(|at| rest.split_at_checked(at))
                else {
                    continue;
                };
                if let Some(&child) = between.after.nodes.get(after) {
                    visit(child);
                }
            }
        }
    }
}

/// FNV-1a: labels are short, and the keys come from the rules, so nobody can choose them to collide.
#[derive(Debug)]
struct TextHasher(u64);

impl Default for TextHasher {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for TextHasher {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
