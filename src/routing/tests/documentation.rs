//! `docs/routing.md`: the examples load, and the tables and error texts are correct.

use std::{fs, path::Path};

use dispatcher::routing::{CustomHostname, Host, Localhost, Router};

use crate::outcome::{builtin, outcome};

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/routing.md");
    fs::read_to_string(path).expect("the page is readable")
}

/// The fenced blocks of that kind, and the text behind each up to the next block.
fn blocks(page: &str, kind: &str) -> Vec<(String, String)> {
    let fence = format!("```{kind}\n");
    page.split(&fence)
        .skip(1)
        .map(|text| {
            let (block, behind) = text.split_once("```\n").expect("the block ends");
            let behind = behind.split("```").next().unwrap_or_default();
            (block.to_owned(), behind.to_owned())
        })
        .collect()
}

/// The cells of every row of a table with three columns whose first cell is code.
fn rows(text: &str) -> Vec<(String, String, String)> {
    text.lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.strip_prefix("| `")?.split('|').map(str::trim).collect();
            match cells.as_slice() {
                [url, outcome, worker, ""] => {
                    let plain = |cell: &str| cell.replace('`', "");
                    Some((plain(url), plain(outcome), plain(worker)))
                }
                _ => None,
            }
        })
        .collect()
}

fn check_rows(router: &Router, rows: &[(String, String, String)]) {
    for (url, environment, worker) in rows {
        let expected = if environment
            .chars()
            .all(|letter| letter.is_ascii_uppercase() || letter == '_')
        {
            environment.clone()
        } else {
            format!("{environment}/{worker}")
        };
        let found = outcome(router, url);
        assert_eq!(found.split(' ').next(), Some(&*expected), "{url}");
    }
}

#[test]
fn the_table_of_built_in_rules_is_correct() {
    let page = page();
    let section = page.split("```json\n").next().unwrap();
    let rows = rows(section);
    assert!(rows.len() >= 12, "the table is missing: {rows:?}");
    check_rows(&builtin(), &rows);
}

#[test]
fn the_table_of_every_example_is_correct() {
    let blocks = blocks(&page(), "json");
    assert!(blocks.len() >= 4);
    let mut checked = 0;
    for (block, behind) in blocks {
        let router = Router::with_routes(&block, Localhost::Unserved)
            .unwrap_or_else(|error| panic!("{block}: {error}"));
        let rows = rows(&behind);
        check_rows(&router, &rows);
        checked += rows.len();
    }
    assert!(checked >= 12, "only {checked} rows follow the examples");
}

#[test]
fn every_shown_error_text_is_correct() {
    let shown = blocks(&page(), "json5");
    assert!(!shown.is_empty());
    for (block, behind) in shown {
        let error = Router::with_routes(&block, Localhost::Unserved)
            .map(|_| ())
            .expect_err(&block);
        let quoted = behind
            .lines()
            .find_map(|line| line.strip_prefix("> "))
            .expect("the message follows");
        assert_eq!(error.to_string(), quoted, "{block}");
    }
}

#[test]
fn every_value_of_a_custom_hostname_is_valid() {
    let page = page();
    let values: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `hostname:")?.strip_suffix("` |"))
        .collect();
    assert!(values.len() >= 3, "{values:?}");
    for row in values {
        let (host, value) = row.split_once("` | `").expect("two cells");
        CustomHostname::parse(Host::parse(host).unwrap(), value)
            .unwrap_or_else(|error| panic!("{row}: {error}"));
    }
}
