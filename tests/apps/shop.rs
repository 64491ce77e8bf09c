//! A Next.js application that OpenNext built: pages, an API, files, and a cache that the Worker renews with requests to itself.

use anyhow::{Context, Result};
use dotdo_names::Environment::{self, Production, Staging};
use end_to_end::{Answer, until};
use reqwest::Method;
use serde_json::json;

use crate::project::{ENVIRONMENTS, Project, answer};

const SHOP: Project = Project::new("shop").with_environments();

/// The text between two others, the first time.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(after)?.0)
}

/// A page, whose text must contain `expected`.
async fn page(environment: Environment, path: &str, expected: &str) -> Result<Answer> {
    let page = SHOP.get(environment, path).await?;
    assert!(page.header("content-type").starts_with("text/html"), "{path}");
    assert!(page.text().contains(expected), "{path}: {}", page.text());
    Ok(page)
}

/// The state of OpenNext's cache in a response.
fn cache(answer: &Answer) -> &str {
    answer.header("x-nextjs-cache")
}

async fn deploy(environment: Environment) -> Result<()> {
    let database = match environment {
        Production => "shop",
        _ => "shop-staging",
    };
    SHOP.change_data(environment, &["d1", "migrations", "apply", database, "--remote"])
        .await?;
    SHOP.fill_cache(environment).await?;
    SHOP.deploy(environment, &[]).await
}

/// Files of `public/` and of the build, and an image.
async fn files_are_served(environment: Environment) -> Result<()> {
    let start = page(environment, "/", "Welcome to the shop").await?;
    let text = start.text();
    let script = between(&text, "src=\"/_next/static/", "\"").context("the page has no script")?;
    let script = SHOP.get(environment, &format!("/_next/static/{script}")).await?;
    assert!(script.header("content-type").contains("javascript"));
    assert!(script.header("cache-control").contains("immutable"));
    for path in ["/apple.png", "/_next/image?url=%2Fapple.png&w=32&q=75"] {
        let image = SHOP.get(environment, path).await?;
        assert_eq!(image.header("content-type"), "image/png", "{path}");
        assert!(image.body.starts_with(b"\x89PNG"), "{path}");
    }
    Ok(())
}

#[end_to_end::test]
async fn the_shop_renders_pages_and_renews_its_cache() -> Result<()> {
    for environment in ENVIRONMENTS {
        deploy(environment).await?;
        files_are_served(environment).await?;
    }
    // Rendered for each request.
    for environment in ENVIRONMENTS {
        let request = SHOP.request(environment, Method::GET, "/products/apple");
        let product = answer(request.header("x-customer", "Ada"), 200).await?;
        let expected = format!("40 cents in {}, version 1", environment.name());
        assert!(product.text().contains("apple for Ada"), "{}", product.text());
        assert!(product.text().contains(&expected), "{}", product.text());
    }
    answer(SHOP.request(Production, Method::GET, "/products/stone"), 404).await?;
    answer(SHOP.request(Production, Method::GET, "/nowhere"), 404).await?;

    the_page_of_the_stock_is_renewed().await?;

    // Cached until an order invalidates it.
    for expected in ["MISS", "HIT"] {
        let orders = page(Production, "/orders/apple", "0 orders of apple").await?;
        assert_eq!(cache(&orders), expected);
    }
    let apple = json!({ "product": "apple" });
    let created = SHOP.post(Production, "/api/orders", &apple).await?.json();
    assert_eq!(created, json!({ "id": 1, "product": "apple" }));
    page(Production, "/orders/apple", "1 orders of apple").await?;

    SHOP.deploy(Production, &["--var", "VERSION:2"]).await?;
    page(Production, "/products/pear", "55 cents in production, version 2").await?;
    page(Staging, "/products/pear", "55 cents in staging, version 1").await?;
    SHOP.post(Production, "/api/orders", &json!({ "product": "pear" }))
        .await?;
    let orders = json!([{ "id": 1, "product": "apple" }, { "id": 2, "product": "pear" }]);
    assert_eq!(SHOP.get(Production, "/api/orders").await?.json(), orders);
    assert_eq!(SHOP.get(Staging, "/api/orders").await?.json(), json!([]));
    Ok(())
}

/// A stale page is served, and the Durable Object of OpenNext's queue renews it with a request to `WORKER_SELF_REFERENCE`.
async fn the_page_of_the_stock_is_renewed() -> Result<()> {
    // The build rendered it more than two seconds ago.
    let built = page(Production, "/stock", "counted at").await?;
    assert_eq!(cache(&built), "STALE");
    let time = |page: &Answer| between(&page.text(), "counted at ", "<").map(str::to_owned);
    let renewed = until("the page is renewed", async || {
        let now = page(Production, "/stock", "counted at").await?;
        Ok((time(&now) != time(&built)).then_some(now))
    })
    .await?;
    assert!(time(&renewed).is_some());
    Ok(())
}
