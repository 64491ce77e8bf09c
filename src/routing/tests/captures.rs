//! Captures, in hosts and paths, alone and with text around them.

use serde_json::json;

use crate::outcome::{check, with_routes};

#[test]
fn a_capture_matches_one_whole_label() {
    let router = with_routes(&json!([{"pattern": "{worker}.example.com", "worker": "{worker}"}]));
    check(
        &router,
        &[
            ("a.example.com", "production/a"),
            ("a-1.example.com", "production/a-1"),
            ("example.com", "HOST_UNKNOWN"),
            ("a.b.example.com", "HOST_UNKNOWN"),
            ("a_b.example.com", "HOST_UNKNOWN"),
            ("a.example.com.evil.example", "HOST_UNKNOWN"),
            ("a.xexample.com", "HOST_UNKNOWN"),
        ],
    );
}

#[test]
fn a_label_has_literal_text_around_and_between_captures() {
    let router = with_routes(&json!([
        {"pattern": "pre-{worker}.example.com", "worker": "{worker}"},
        {"pattern": "{worker}-post.example.com", "worker": "{worker}"},
        {"pattern": "in-{a}-x-{b}-out.example.org", "worker": "{a}-{b}"},
        {"pattern": "example.org/v{major}.{minor}/*", "worker": "api-{major}-{minor}"},
    ]));
    check(
        &router,
        &[
            ("pre-a.example.com", "production/a"),
            ("pre-.example.com", "HOST_UNKNOWN"),
            ("pre.example.com", "HOST_UNKNOWN"),
            ("a-post.example.com", "production/a"),
            ("-post.example.com", "HOST_UNKNOWN"),
            // Both rules match, and the first one decides.
            ("pre-a-post.example.com", "production/a-post"),
            ("in-a-x-b-out.example.org", "production/a-b"),
            ("in-a-x-b-x-c-out.example.org", "production/a-b-x-c"),
            ("in-a-b-out.example.org", "HOST_UNKNOWN"),
            ("in-x-out.example.org", "HOST_UNKNOWN"),
            ("example.org/v1.2/x", "production/api-1-2"),
            ("example.org/v1/x", "HOST_UNKNOWN"),
            ("example.org/v1.2", "production/api-1-2"),
        ],
    );
}

#[test]
fn the_capture_worker_is_checked_even_if_it_is_only_a_part_of_the_name() {
    let router = with_routes(&json!([{"pattern": "{worker}.example.com", "worker": "shop-{worker}"}]));
    check(
        &router,
        &[
            ("a.example.com", "production/shop-a"),
            ("staging.example.com", "WORKER_NAME_INVALID"),
            ("com.example.com", "WORKER_NAME_INVALID"),
            ("a-.example.com", "WORKER_NAME_INVALID"),
        ],
    );
}

#[test]
fn a_pattern_has_up_to_eight_captures() {
    let router = with_routes(&json!([{
        "pattern": "{a}-{b}.{c}-{d}.example.com/{e}/{f}/{g}/{h}",
        "worker": "{h}{g}{f}{e}{d}{c}{b}{a}",
    }]));
    check(&router, &[("1-2.3-4.example.com/5/6/7/8", "production/87654321")]);
}
