//! Rules of the variable `ROUTES` stand in front of the built-in ones.

use anyhow::Result;
use dotdo_names::Environment;
use end_to_end::Script;

use crate::platforms;

#[end_to_end::test]
async fn its_rules_come_first_and_the_built_in_ones_stay() -> Result<()> {
    let platform = platforms::sound();
    for (environment, worker) in [
        (Environment::Production, "in-front"),
        (Environment::Production, "another-in-front"),
        (Environment::Staging, "in-front"),
        (Environment::Staging, "acme-shop"),
        (Environment::Production, "acme-shop"),
        (Environment::Production, "plain"),
    ] {
        let script = Script::answering(&format!("{environment} {worker}"));
        platform.deploy(environment, worker, &script).await?;
    }
    for (host, answered) in [
        ("in-front.do", "production another-in-front"),
        ("staging.in-front.do", "staging in-front"),
        ("acme.shop.tenants.example", "staging acme-shop"),
        ("ACME.Shop.Tenants.Example.:8080", "staging acme-shop"),
        ("plain.example.com", "production plain"),
        ("acme-shop.do", "production acme-shop"),
    ] {
        assert_eq!(platform.get(host, "/").await?.text(), answered, "{host}");
    }
    Ok(())
}
