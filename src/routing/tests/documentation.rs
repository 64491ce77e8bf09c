//! `docs/routing.md`: its examples load, and its tables say what happens.

use std::{fs, path::Path};

use dispatcher::routing::{CustomHostname, Host, Localhost, Router};

use crate::outcome::{builtin, outcome};

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/routing.md");
    fs::read_to_string(path).expect("the page is there")
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
fn the_built_in_rules_do_what_their_table_says() {
    let page = page();
    let section = page.split("```json\n").next().unwrap();
    let rows = rows(section);
    assert!(rows.len() >= 12, "the table is there: {rows:?}");
    check_rows(&builtin(), &rows);
}

#[test]
fn every_example_of_routes_does_what_the_table_behind_it_says() {
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
    assert!(checked >= 12, "only {checked} rows stand behind the examples");
}

#[test]
fn every_mistake_that_is_shown_is_told_as_shown() {
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
fn every_value_of_a_custom_hostname_is_one() {
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
