//! Asks before a change of production.

use std::io::{self, BufRead, IsTerminal as _, Write};

use dotdo_names::Namespace;

use crate::failure::Failure;

/// Whether a change must be confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// Whether the command has `--yes`.
    pub is_given: bool,
    /// Whether the change concerns production.
    pub is_needed: bool,
}

impl Confirmation {
    /// The confirmation of a change in a namespace: only production and the account need one.
    #[must_use]
    pub fn of(namespace: impl Into<Namespace>, yes: bool) -> Self {
        Self {
            is_given: yes,
            is_needed: namespace.into().is_production(),
        }
    }

    /// The confirmation of a change of the whole platform.
    #[must_use]
    pub fn of_platform(yes: bool) -> Self {
        Self {
            is_given: yes,
            is_needed: true,
        }
    }

    /// Asks the person at the terminal, unless the change is confirmed or needs no confirmation.
    ///
    /// # Errors
    /// If the person does not confirm, or no terminal to ask on.
    pub fn ask(self, question: &str) -> Result<(), Failure> {
        let stdin = io::stdin();
        let is_terminal = stdin.is_terminal() && io::stderr().is_terminal();
        self.ask_at(question, is_terminal, &mut stdin.lock(), &mut io::stderr())
    }

    fn ask_at(
        self,
        question: &str,
        is_terminal: bool,
        input: &mut impl BufRead,
        output: &mut impl Write,
    ) -> Result<(), Failure> {
        if self.is_given || !self.is_needed {
            return Ok(());
        }
        if !is_terminal {
            return Err(Failure::usage(
                format!("{question} This must be confirmed, and the command does not run in a terminal"),
                "Add --yes to confirm it.",
            ));
        }
        write!(output, "{question} Type yes: ")?;
        output.flush()?;
        let mut answer = String::new();
        input.read_line(&mut answer)?;
        if matches!(answer.trim(), "yes" | "y") {
            return Ok(());
        }
        Err(Failure::refused(
            "nothing was changed",
            "Type the same command again and answer yes, or add --yes.",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Exit;

    fn ask(confirmation: Confirmation, is_terminal: bool, answer: &str) -> (Option<Exit>, String) {
        let mut shown = Vec::new();
        let asked = confirmation.ask_at("Delete agents?", is_terminal, &mut answer.as_bytes(), &mut shown);
        (
            asked.err().map(|failure| failure.exit()),
            String::from_utf8(shown).unwrap(),
        )
    }

    #[test]
    fn only_production_is_confirmed() {
        for namespace in Namespace::ALL {
            let asked = ask(Confirmation::of(namespace, false), true, "no\n");
            let is_production = namespace.is_production();
            assert_eq!(asked.0, is_production.then_some(Exit::Refused), "{namespace}");
            assert_eq!(asked.1.contains("Delete agents?"), is_production);
        }
    }

    #[test]
    fn the_answer_must_be_yes() {
        let confirmation = Confirmation::of_platform(false);
        for (answer, exit) in [
            ("yes\n", None),
            ("y\n", None),
            ("", Some(Exit::Refused)),
            ("\n", Some(Exit::Refused)),
            ("yes please\n", Some(Exit::Refused)),
        ] {
            assert_eq!(ask(confirmation, true, answer).0, exit, "{answer:?}");
        }
    }

    #[test]
    fn without_a_terminal_the_option_is_required() {
        assert_eq!(
            ask(Confirmation::of_platform(false), false, "yes\n").0,
            Some(Exit::Usage)
        );
        assert_eq!(
            ask(Confirmation::of_platform(true), false, ""),
            (None, String::new())
        );
    }
}
