//! The secrets that the expressions of a workflow read.
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/contexts#secrets-context>

use std::collections::BTreeSet;

/// The token of each run. It is not a stored secret.
const TOKEN_OF_RUN: &str = "GITHUB_TOKEN";

/// The secrets of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrets {
    /// Their names in capitals, as GitHub stores them.
    pub names: BTreeSet<String>,
    /// Whether it reads all secrets, or some whose names are computed.
    pub are_computed: bool,
}

/// The secrets in the expressions of a text, `secrets.NAME` and `secrets['NAME']`. Names have any case.
pub fn secrets_in(text: &str) -> Secrets {
    let mut found = Secrets::default();
    let mut rest = text;
    while let Some((_, expression)) = rest.split_once("${{") {
        rest = found.read(expression);
    }
    found
}

impl Secrets {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && !self.are_computed
    }

    /// Adds those of another text.
    pub fn extend(&mut self, other: Self) {
        self.names.extend(other.names);
        self.are_computed |= other.are_computed;
    }

    /// Reads an expression, and returns the text after it.
    fn read<'a>(&mut self, expression: &'a str) -> &'a str {
        let mut rest = expression;
        let mut is_member = false;
        loop {
            rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix("}}") {
                return after;
            }
            if let Some((_, after)) = literal(rest) {
                (rest, is_member) = (after, false);
                continue;
            }
            let (word, after) = split_word(rest);
            if word.is_empty() {
                let mut characters = rest.chars();
                let Some(first) = characters.next() else {
                    return rest;
                };
                (rest, is_member) = (characters.as_str(), first == '.');
                continue;
            }
            rest = if !is_member && word.eq_ignore_ascii_case("secrets") {
                self.read_reference(after)
            } else {
                after
            };
            is_member = false;
        }
    }

    /// Reads what follows the word `secrets`.
    fn read_reference<'a>(&mut self, text: &'a str) -> &'a str {
        let text = text.trim_start();
        let member = text
            .strip_prefix('.')
            .map(|member| split_word(member.trim_start()));
        let index = text
            .strip_prefix('[')
            .and_then(|index| literal(index.trim_start()));
        match member.or(index) {
            Some((name, rest)) if !name.is_empty() => {
                let name = name.to_ascii_uppercase();
                if name != TOKEN_OF_RUN {
                    self.names.insert(name);
                }
                rest
            }
            _ => {
                self.are_computed = true;
                text
            }
        }
    }
}

/// The word at the beginning of a text, which may be empty, and the text after it.
fn split_word(text: &str) -> (&str, &str) {
    let is_of_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    text.split_at(text.find(|c| !is_of_word(c)).unwrap_or(text.len()))
}

/// The text in quotes at the beginning of a text, and the text after it. A quote in it is written twice, and no name has one.
fn literal(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('\'')?.split_once('\'')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_only_in_expressions() {
        for (text, names, are_computed) in [
            (
                "secrets.A ${{ secrets.B || secrets['C'] }} secrets.D",
                &["B", "C"][..],
                false,
            ),
            (
                "${{secrets.a}}-${{ Secrets . b_2 || secrets[ 'C' ] }}",
                &["A", "B_2", "C"],
                false,
            ),
            (
                "${{ env.secrets.A || mysecrets.B || 'it''s secrets.C' }}",
                &[],
                false,
            ),
            ("${{ 'a }} secrets.A' }} ${{ secrets.B }}", &["B"], false),
            ("${{ secrets.GITHUB_TOKEN || secrets.github_token }}", &[], false),
            ("${{ secrets[matrix.token] || secrets.A }}", &["A"], true),
            ("${{ toJSON(secrets) }}", &[], true),
            ("${{ join(secrets.*) }}", &[], true),
            ("${{ secrets.A", &["A"], false),
            ("${{ 'open", &[], false),
        ] {
            let found = secrets_in(text);
            assert_eq!(
                found.names.iter().map(String::as_str).collect::<Vec<_>>(),
                names,
                "{text}"
            );
            assert_eq!(found.are_computed, are_computed, "{text}");
        }
    }
}
