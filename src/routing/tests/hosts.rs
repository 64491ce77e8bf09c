//! Hosts, also as hostile clients write them.

use dispatcher::routing::{Host, InvalidHost};

use crate::outcome::{builtin, check, outcome};

#[test]
fn case_port_and_one_trailing_dot_are_ignored() {
    for host in [
        "staging.agents.do",
        "Staging.AGENTS.do",
        "staging.agents.do.",
        "STAGING.AGENTS.DO.",
        "staging.agents.do:8787",
        "staging.agents.do:",
        "staging.agents.do:0",
        "staging.agents.do.:65535",
    ] {
        for url in [
            format!("https://{host}/x"),
            format!("http://{host}"),
            format!("HTTPS://{host}?q"),
        ] {
            assert_eq!(outcome(&builtin(), &url), "staging/agents", "{url}");
        }
    }
}

#[test]
fn a_host_obeys_the_limits_of_the_dns() {
    let label = |length: usize| "a".repeat(length);
    let host = |length: usize| {
        format!(
            "{}{}",
            "a.".repeat((length - 2) / 2),
            label(length - (length - 2) / 2 * 2)
        )
    };
    for (text, expected) in [
        ("", Some(InvalidHost::Empty)),
        (".", Some(InvalidHost::Empty)),
        ("..", Some(InvalidHost::LabelEmpty)),
        ("agents..do", Some(InvalidHost::LabelEmpty)),
        (".agents.do", Some(InvalidHost::LabelEmpty)),
        ("agents.do..", Some(InvalidHost::LabelEmpty)),
        (&*format!("{}.do", label(63)), None),
        (&*format!("{}.do", label(64)), Some(InvalidHost::LabelTooLong)),
        (&*host(253), None),
        (&*format!("{}.", host(253)), None),
        (&*host(254), Some(InvalidHost::TooLong)),
        (&*format!("{}.", host(254)), Some(InvalidHost::TooLong)),
        ("agents do", Some(InvalidHost::Character)),
        ("agents%2edo", Some(InvalidHost::Character)),
        ("agents\u{3002}do", Some(InvalidHost::Character)),
        ("m\u{fc}ller.do", Some(InvalidHost::Character)),
        ("agents.do\0", Some(InvalidHost::Character)),
        ("agents.do\t", Some(InvalidHost::Character)),
        ("agents.do\\", Some(InvalidHost::Character)),
        ("a*b.do", Some(InvalidHost::Character)),
        ("_dmarc.agents.do", None),
        ("xn--mller-kva.do", None),
    ] {
        assert_eq!(Host::parse(text).err(), expected, "{text:?}");
    }
}

#[test]
fn ip_addresses_are_rejected() {
    for host in [
        "127.0.0.1",
        "127.0.0.1.",
        "127.0.0.1:8787",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "0X7F.0X1",
        "agents.0x",
        "agents.1",
        "[::1]",
        "[::1]:8787",
        "[::ffff:127.0.0.1]",
    ] {
        assert_eq!(Host::parse(host), Err(InvalidHost::Address), "{host}");
        check(&builtin(), &[(host, "HOST_UNKNOWN")]);
    }
}

#[test]
fn rejects_a_port_that_is_not_a_number_up_to_65535() {
    for host in [
        "agents.do:x",
        "agents.do:65536",
        "agents.do:80:80",
        "agents.do:-1",
        "agents.do: 80",
        "::1",
    ] {
        assert_eq!(Host::parse(host), Err(InvalidHost::Port), "{host}");
        check(&builtin(), &[(host, "HOST_UNKNOWN")]);
    }
}

#[test]
fn user_information_never_selects_the_host() {
    check(
        &builtin(),
        &[
            ("https://agents.do@staging.tasks.do/", "staging/tasks"),
            ("https://agents.do:80@staging.tasks.do:81/", "staging/tasks"),
            ("https://a@b@staging.tasks.do/", "staging/tasks"),
            ("https://@agents.do/", "production/agents"),
            ("https://agents.do/@staging.tasks.do", "production/agents"),
            ("https://agents.do?@staging.tasks.do", "production/agents"),
            ("https://agents.do#@staging.tasks.do", "production/agents"),
            // In both, the URL standard reads the host `agents.do`: the text behind the backslash must not select the
            // host.
            ("https://agents.do\\@staging.tasks.do/", "HOST_UNKNOWN"),
            ("https://agents.do\\staging.tasks.do/", "HOST_UNKNOWN"),
        ],
    );
}

#[test]
fn rejects_a_url_that_is_not_http() {
    check(
        &builtin(),
        &[
            ("ftp://agents.do/", "HOST_UNKNOWN"),
            ("ws://agents.do/", "HOST_UNKNOWN"),
            ("https:///agents.do/", "HOST_UNKNOWN"),
            ("://agents.do/", "HOST_UNKNOWN"),
            ("x://https://agents.do/", "HOST_UNKNOWN"),
        ],
    );
    for url in [
        "",
        "agents.do",
        "/x",
        "https:/agents.do/",
        "https:agents.do",
        "http",
        "\u{130}ttps://agents.do/",
    ] {
        let router = builtin();
        let refusal = router.route(url).map(|_| ()).expect_err(url);
        assert!(refusal.host().is_none(), "{url}");
        assert_eq!(
            refusal.reason().to_string(),
            "the URL does not begin with https:// or http://"
        );
    }
}

#[test]
fn a_refusal_has_the_host_if_it_is_valid() {
    let router = builtin();
    let refusal = router.route("https://Shop.Example.COM.:8787/x").unwrap_err();
    assert_eq!(refusal.host().unwrap().normalized(), "shop.example.com");
    assert!(router.route("https://10.0.0.1/x").unwrap_err().host().is_none());
}
