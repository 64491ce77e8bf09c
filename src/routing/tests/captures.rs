//! Captures, in hosts and paths, alone and with text around them.

use serde_json::json;

use crate::outcome::{check, with_routes};

#[test]
fn a_capture_takes_one_whole_label() {
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
fn text_stands_around_and_between_captures() {
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
            // The first rule wins where both match.
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
fn the_worker_is_never_an_environments_label_even_as_a_part_of_a_name() {
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
fn eight_captures_are_kept_apart() {
    let router = with_routes(&json!([{
        "pattern": "{a}-{b}.{c}-{d}.example.com/{e}/{f}/{g}/{h}",
        "worker": "{h}{g}{f}{e}{d}{c}{b}{a}",
    }]));
    check(&router, &[("1-2.3-4.example.com/5/6/7/8", "production/87654321")]);
}
