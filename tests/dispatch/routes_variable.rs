//! Rules of the variable `ROUTES` take precedence over the built-in rules.

use anyhow::Result;
use dotdo_names::Environment;
use end_to_end::Script;

use crate::platforms;

#[end_to_end::test]
async fn its_rules_take_precedence_and_the_built_in_rules_remain() -> Result<()> {
    let platform = platforms::standard();
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
