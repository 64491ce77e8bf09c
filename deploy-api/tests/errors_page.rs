//! `docs/errors.md` has exactly one section for each code of the deploy API, in the order of the codes.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic in the setup of a test fails the test"
)]

use deploy_api::code::Code;

const PAGE: &str = include_str!("../../docs/errors.md");
const PART: &str = "## The deploy API";

/// The sections of the deploy API in the page, as pairs of heading and text.
fn sections() -> Vec<(&'static str, &'static str)> {
    let (_, part) = PAGE.split_once(PART).unwrap();
    let part = part.split("\n## ").next().unwrap();
    part.split("\n### ")
        .skip(1)
        .map(|section| section.split_once('\n').unwrap())
        .collect()
}

#[test]
fn every_code_has_a_section_and_every_section_a_code() {
    let headings: Vec<_> = sections().into_iter().map(|(heading, _)| heading).collect();
    let names: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(headings, names);
}

#[test]
fn every_section_has_status_number_title_cause_and_fix() {
    for (code, (_, text)) in Code::ALL.iter().zip(sections()) {
        let head = format!("**{}** · `{}` · {}\n", code.status(), code.number(), code.title());
        for expected in [head.as_str(), "**Why.** ", "**What to do.** "] {
            assert!(
                text.contains(expected),
                "the section of {code} does not contain {expected:?}"
            );
        }
    }
}

#[test]
fn the_link_of_a_code_is_the_anchor_of_its_section() {
    for (code, (heading, _)) in Code::ALL.iter().zip(sections()) {
        let (_, anchor) = code
            .page()
            .split_once('#')
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .unwrap();
        assert_eq!(anchor, heading.to_ascii_lowercase());
    }
}

#[test]
fn links_to_the_manual_have_an_existing_anchor() {
    let manual = include_str!("../../docs/deploy-api.md");
    let anchors: Vec<_> = manual
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            line.trim_start_matches('#')
                .trim()
                .to_lowercase()
                .replace(' ', "-")
        })
        .collect();
    for link in PAGE.split("(deploy-api.md#").skip(1) {
        let anchor = link.split(')').next().unwrap();
        assert!(
            anchors.iter().any(|known| known == anchor),
            "deploy-api.md has no #{anchor}"
        );
    }
}
