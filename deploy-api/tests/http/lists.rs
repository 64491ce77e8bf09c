//! The parameters of lists.

use deploy_api::v1::{Operation, ROUTES, Route};

use super::alone::{Answered, Call};
use crate::support::api::{Api, cursor_key};

fn get(api: &Api, path: &str) -> Answered {
    Call::new("GET", path).by_administrator().send(api)
}

fn assert_invalid(api: &Api, path: &str) {
    let answered = get(api, path);
    assert_eq!(
        (answered.status, answered.code().as_str()),
        (400, "PARAMETER_INVALID"),
        "{path}: {}",
        answered.text
    );
}

/// The lists with a parameter. The administrator may not read logs: `logs.rs` has the same tests for them.
fn lists(parameter: &str) -> Vec<&'static Route> {
    ROUTES
        .iter()
        .filter(|route| route.parameters.contains(&parameter) && route.operation != Operation::LogRead)
        .collect()
}

/// The path of a route, with a value for each capture.
fn path(route: &str) -> String {
    route
        .replace("{namespace}", "dotdo-staging")
        .replace("{worker}", "agents")
}

#[test]
fn every_list_refuses_unknown_cursors_and_parameters() {
    let api = Api::new();
    let of_another_list = cursor_key().seal("another list", "7");
    let lists = lists("cursor");
    assert!(lists.len() >= 8, "{lists:?}");
    for route in lists {
        let path = path(route.path);
        for query in [
            "cursor=hello".to_owned(),
            "cursor=".to_owned(),
            "cursor=7".to_owned(),
            format!("cursor={of_another_list}"),
            "surprise=1".to_owned(),
        ] {
            assert_invalid(&api, &format!("{path}?{query}"));
        }
        if route.parameters.contains(&"limit") {
            for limit in ["0", "1001", "-1", "many", "5&limit=5"] {
                assert_invalid(&api, &format!("{path}?limit={limit}"));
            }
        }
    }
}

#[test]
fn times_dates_and_durations_filter_lists() {
    let api = Api::new();
    let lists = lists("since");
    assert_eq!(lists.len(), 3, "{lists:?}");
    for route in lists {
        let path = path(route.path);
        for query in [
            "since=1h",
            "since=2d&until=90m",
            "since=2026-11-27",
            "since=2026-11-24T12:00:00Z&until=9999-12-31T23:59:59Z",
            "since=0001-01-01T00:00:00Z",
        ] {
            let answered = get(&api, &format!("{path}?{query}"));
            assert_eq!(answered.status, 200, "{path}?{query}: {}", answered.text);
        }
        for query in ["since=now", "until=1y", "until=2026-13-01", "since=", "since=-1h"] {
            assert_invalid(&api, &format!("{path}?{query}"));
        }
    }
}

#[test]
fn the_list_of_all_deployments_refuses_names_that_do_not_exist() {
    let api = Api::new();
    assert_eq!(get(&api, "/v1/deployments").status, 200);
    let named = get(&api, "/v1/deployments?namespace=dotdo-staging&worker=agents");
    assert_eq!(named.status, 200, "{}", named.text);
    for query in ["namespace=staging", "worker=Not_a_name", "worker="] {
        assert_invalid(&api, &format!("/v1/deployments?{query}"));
    }
}
