//! Clients whose base URL is not `/client/v4` of the deploy API: they get the right one.

use anyhow::{Context, Result};
use dotdo_names::Environment::Staging;
use end_to_end::{Answer, Project, wrangler::Version};
use reqwest::Method;
use serde_json::Value;

use crate::platforms::platform;

/// Wrong paths of a base URL.
const WRONG: [&str; 6] = ["", "/", "/v1", "/client/v4/v1", "/v1/client/v4", "/client/v4/"];

#[end_to_end::test]
async fn wrangler_prints_the_right_base_url() -> Result<()> {
    let platform = platform();
    let right = platform.base_url();
    let origin = right.strip_suffix("/client/v4").context("another base URL")?;
    let project = Project::new("misdirected")?;
    for version in Version::ALL {
        for (path, arguments) in [
            ("", &["deploy", "--dispatch-namespace", Staging.namespace()][..]),
            ("", &["whoami"]),
            ("/v1", &["secret", "list"]),
            ("/v1", &["dispatch-namespace", "list"]),
        ] {
            let wrong = format!("{origin}{path}");
            let run = project.call(platform, version).at(&wrong).run(arguments).await?;
            let output = run.output.split_whitespace().collect::<Vec<_>>().join(" ");
            let what = format!("{version:?} {arguments:?} at {wrong}: {output}");
            assert!(!run.succeeded, "{what}");
            assert!(output.contains("[code: 740124]"), "{what}");
            assert!(
                output.contains(&format!("Set CLOUDFLARE_API_BASE_URL={right},")),
                "{what}"
            );
        }
    }
    Ok(())
}

#[end_to_end::test]
async fn every_wrong_base_url_gets_an_envelope() -> Result<()> {
    let platform = platform();
    for path in WRONG {
        for call in ["/accounts/1/workers/scripts/x", "/user", "/memberships", "/zones"] {
            let request = platform.anonymous(Method::GET, &format!("{path}{call}"));
            let answer = Answer::read(request.send().await?).await?;
            let body: Value = answer.json();
            assert_eq!(answer.status, 404, "{path}{call}: {body}");
            assert_eq!(body["success"], false, "{path}{call}: {body}");
            assert_eq!(body["errors"][0]["code"], 740_124, "{path}{call}: {body}");
        }
    }
    Ok(())
}

#[end_to_end::test]
async fn other_unknown_paths_keep_their_problem_document() -> Result<()> {
    let platform = platform();
    for path in ["/v1", "/v1/nothing", "/v1/usernames"] {
        let answer = Answer::read(platform.anonymous(Method::GET, path).send().await?).await?;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.json()["code"], "PATH_UNKNOWN", "{path}");
    }
    Ok(())
}
