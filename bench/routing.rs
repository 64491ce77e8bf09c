//! The time of a routing decision: with the built-in rules, with 10, 100 and 10,000 rules in front of them, and with two
//! alternatives. Run it with `cargo bench -p dispatcher`.
//!
//! The alternatives only find the rule: their host is already in lower case and without a port, and they check neither
//! environments nor Worker names. The router does all of it, from the text of the URL.

#![allow(missing_docs, reason = "criterion_group! makes public functions")]
#![allow(clippy::expect_used, reason = "the inputs are constants")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use dispatcher::routing::{Localhost, Router};
use regex::Regex;

/// One URL for each row of the routing table, and some that are refused.
const BUILT_IN: [(&str, &str); 12] = [
    ("production", "https://agents.do/tasks/17?page=2"),
    ("www", "https://www.agents.do/tasks/17?page=2"),
    ("environment first", "https://staging.agents.do/tasks/17?page=2"),
    ("environment second", "https://agents.staging.do/tasks/17?page=2"),
    ("apis.do", "https://apis.do/"),
    ("worker.apis.do", "https://agents.apis.do/tasks/17?page=2"),
    (
        "worker--env.apis.do",
        "https://agents--staging.apis.do/tasks/17?page=2",
    ),
    ("apis.do/worker", "https://apis.do/agents/tasks/17?page=2"),
    (
        "env.apis.do/worker",
        "https://staging.apis.do/agents/tasks/17?page=2",
    ),
    ("unknown host", "https://shop.example.com/tasks/17?page=2"),
    ("unknown environment", "https://qa.agents.do/tasks/17?page=2"),
    ("reserved name", "https://com.do/tasks/17?page=2"),
];

/// The numbers of rules in front of the built-in ones.
const NUMBERS: [usize; 3] = [10, 100, 10_000];

fn built_in(criterion: &mut Criterion) {
    let router = Router::builtin(Localhost::Unserved);
    let mut group = criterion.benchmark_group("built-in rules");
    for (name, url) in BUILT_IN {
        group.bench_function(name, |bencher| {
            bencher.iter(|| router.route(black_box(url)).is_ok());
        });
    }
    group.finish();
}

/// The pattern of the rule with that number, and a host and a path that only this rule matches. The rules are of three
/// kinds in turn.
fn rule(number: usize) -> (String, String, String) {
    match number % 3 {
        0 => {
            let host = format!("shop{number}.example.com");
            (host.clone(), host, "/".into())
        }
        1 => {
            let pattern = format!("{{worker}}.tenant{number}.example.com");
            (pattern, format!("agents.tenant{number}.example.com"), "/".into())
        }
        _ => {
            let pattern = format!("example.com/app{number}/*");
            (pattern, "example.com".into(), format!("/app{number}/x"))
        }
    }
}

fn router(rules: usize) -> Router {
    let rules: Vec<serde_json::Value> = (0..rules)
        .map(|number| {
            let (pattern, ..) = rule(number);
            let worker = if pattern.contains("{worker}") {
                "{worker}"
            } else {
                "shop"
            };
            serde_json::json!({"pattern": pattern, "worker": worker})
        })
        .collect();
    let json = serde_json::Value::from(rules).to_string();
    Router::with_routes(&json, Localhost::Unserved).expect("the rules load")
}

/// The rules as regular expressions, in order.
fn expressions(rules: usize) -> Vec<Regex> {
    let built_in = [
        r"^([a-z0-9-]+)--(staging|dev|development)\.apis\.do/",
        r"^(staging|dev|development)\.apis\.do/([a-z0-9-]+)(?:/|$)",
        r"^(staging|dev|development)\.([a-z0-9-]+)\.do/",
        r"^([a-z0-9-]+)\.(staging|dev|development)\.do/",
        r"^www\.([a-z0-9-]+)\.do/",
        r"^([a-z0-9-]+)\.apis\.do/",
        r"^apis\.do/([a-z0-9-]+)(?:/|$)",
        r"^([a-z0-9-]+)\.do/",
    ];
    let expression = |number| {
        let (pattern, ..) = rule(number);
        let pattern = pattern.replace('.', r"\.").replace("{worker}", "([a-z0-9-]+)");
        match pattern.strip_suffix("/*") {
            Some(prefix) => format!("^{prefix}(?:/|$)"),
            None => format!("^{pattern}/"),
        }
    };
    (0..rules)
        .map(expression)
        .chain(built_in.map(str::to_owned))
        .map(|expression| Regex::new(&expression).expect("a regular expression"))
        .collect()
}

fn first_match(expressions: &[Regex], host: &str, path: &str) -> Option<usize> {
    let text = [host, path].concat();
    expressions
        .iter()
        .position(|expression| expression.captures(&text).is_some())
}

/// The rules as paths of the reversed host. Both orders of Worker and environment are one path, because matchit cannot
/// distinguish them.
fn reversed_paths(rules: usize) -> matchit::Router<usize> {
    let mut router = matchit::Router::new();
    let mut insert = |path: &str| router.insert(path, 0).expect("no conflict");
    for number in 0..rules {
        let (pattern, ..) = rule(number);
        let (host, path) = pattern.split_once('/').unwrap_or((&pattern, "*"));
        insert(&reversed(host, &format!("/~/{}", path.replace('*', "{*rest}"))));
    }
    for host in ["do/{a}", "do/{a}/{b}", "do/www/{a}", "do/apis", "do/apis/{a}"] {
        insert(&format!("/{host}/~/{{*rest}}"));
    }
    router
}

/// Turns `a.example.com` and `/x` into `/com/example/a/x`.
fn reversed(host: &str, path: &str) -> String {
    let mut reversed = String::with_capacity(host.len() + path.len() + 1);
    for label in host.rsplit('.') {
        reversed.push('/');
        reversed.push_str(label);
    }
    reversed + path
}

fn more_rules(criterion: &mut Criterion) {
    for number in NUMBERS {
        let router = router(number);
        let expressions = expressions(number);
        let paths = reversed_paths(number);
        let mut group = criterion.benchmark_group(format!("{number} rules"));
        let hosts = [
            ("last rule", rule(number - 1)),
            ("middle rule", rule(number / 2)),
            (
                "built-in rule",
                (String::new(), "staging.agents.do".into(), "/tasks/17".into()),
            ),
        ];
        for (name, (_, host, path)) in &hosts {
            let url = format!("https://{host}{path}");
            let alternative_path = format!("/~{path}x");
            assert!(router.route(&url).is_ok(), "{url}");
            assert!(first_match(&expressions, host, path).is_some(), "{url}");
            assert!(paths.at(&reversed(host, &alternative_path)).is_ok(), "{url}");
            group.bench_function(BenchmarkId::new("routing", name), |bencher| {
                bencher.iter(|| router.route(black_box(&url)).is_ok());
            });
            group.bench_function(
                BenchmarkId::new("matchit on the reversed host", name),
                |bencher| {
                    bencher.iter(|| {
                        paths
                            .at(&reversed(black_box(host), black_box(&alternative_path)))
                            .is_ok()
                    });
                },
            );
            group.bench_function(
                BenchmarkId::new("regular expressions in order", name),
                |bencher| {
                    bencher.iter(|| first_match(&expressions, black_box(host), black_box(path)));
                },
            );
        }
        group.finish();
    }
}

criterion_group!(benches, built_in, more_rules);
criterion_main!(benches);
