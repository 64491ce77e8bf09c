//! `docs/cli.md` is generated from the arguments of the program.

use std::fmt::Write as _;

use clap::{Arg, Command, CommandFactory as _};

use crate::Arguments;

const PAGE: &str = include_str!("../../docs/cli.md");

fn generated() -> String {
    let mut command = Arguments::command();
    command.build();
    let mut page = include_str!("documentation.md").to_owned();
    for command in command.get_subcommands() {
        section(&mut page, command, "dotdo");
    }
    page.trim_end().to_owned() + "\n"
}

/// The section of a command, or the sections of its own commands.
fn section(page: &mut String, command: &Command, parent: &str) {
    let name = format!("{parent} {}", command.get_name());
    if command.has_subcommands() {
        for command in command.get_subcommands() {
            section(page, command, &name);
        }
        return;
    }
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    // Writing to a String cannot fail.
    let _ = writeln!(page, "### `{name}`\n\n{about}.\n\n`{usage}`\n");
    let arguments: Vec<&Arg> = command
        .get_arguments()
        .filter(|argument| !matches!(argument.get_id().as_str(), "help" | "json"))
        .collect();
    if !arguments.is_empty() {
        page.push_str("| argument | meaning |\n|---|---|\n");
        for argument in arguments {
            let _ = writeln!(page, "| `{}` | {} |", signature(argument), meaning(argument));
        }
        page.push('\n');
    }
    for paragraph in command
        .get_after_help()
        .map(ToString::to_string)
        .unwrap_or_default()
        .split("\n\n")
    {
        let _ = match paragraph {
            "" => Ok(()),
            lines if lines.contains('\n') => writeln!(page, "```text\n{lines}\n```\n"),
            line => writeln!(page, "{line}\n"),
        };
    }
}

/// How an argument is written: `--env ENV` or `NAME`.
fn signature(argument: &Arg) -> String {
    let takes_value = argument.get_action().takes_values();
    let value = argument
        .get_value_names()
        .and_then(<[_]>::first)
        .map(ToString::to_string)
        .unwrap_or_default();
    match argument.get_long() {
        Some(long) if takes_value => format!("--{long} {value}"),
        Some(long) => format!("--{long}"),
        None => value,
    }
}

fn meaning(argument: &Arg) -> String {
    let mut meaning = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let values: Vec<String> = argument
        .get_possible_values()
        .iter()
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    // The three environments are in the help of each `--env`.
    if !values.is_empty() && argument.get_action().takes_values() && !meaning.contains("environment") {
        let _ = write!(meaning, ": {}", values.join(", "));
    }
    let defaults: Vec<_> = argument
        .get_default_values()
        .iter()
        .map(|value| value.to_string_lossy())
        .collect();
    if argument.get_action().takes_values() && !defaults.is_empty() {
        let _ = write!(meaning, "; default: `{}`", defaults.join(", "));
    }
    if argument.is_required_set() {
        meaning.push_str(" (required)");
    }
    meaning.replace('|', "\\|")
}

#[test]
fn the_page_is_current() {
    let generated = generated();
    if std::env::var_os("UPDATE_CLI_DOCS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cli.md");
        std::fs::write(path, &generated).unwrap();
        return;
    }
    assert!(
        PAGE == generated,
        "run `UPDATE_CLI_DOCS=1 cargo test -p dotdo documentation`"
    );
}

#[test]
fn every_command_has_a_section_and_says_what_its_json_is() {
    let page = generated();
    let sections: Vec<&str> = page.split("\n### ").skip(1).collect();
    assert!(sections.len() >= 35, "{}", sections.len());
    for section in sections {
        assert!(section.contains("JSON"), "{section}");
    }
}

#[test]
fn the_arguments_are_consistent() {
    Arguments::command().debug_assert();
}
