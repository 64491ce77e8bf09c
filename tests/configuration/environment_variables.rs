//! `.env.example`: the variables that deployment scripts use.

use std::fs;

use anyhow::Result;
use dotdo_names::Environment;
use end_to_end::repository;

#[end_to_end::test]
async fn names_and_ids_are_those_of_the_namespaces() -> Result<()> {
    let text = fs::read_to_string(repository().join(".env.example"))?;
    for environment in Environment::ALL {
        let name = environment.name().to_ascii_uppercase();
        for line in [
            format!("DISPATCH_NAMESPACE_{name}={}", environment.namespace()),
            format!("DISPATCH_NAMESPACE_ID_{name}={}", environment.namespace_id()),
        ] {
            assert!(text.lines().any(|found| found == line), "no {line} in {text}");
        }
    }
    Ok(())
}
