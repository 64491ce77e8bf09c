//! `npm run bench:deploy`: the cost of the deploy API on this machine, with the targets of its design.
//!
//! Deploys through the deploy API and directly to the same upstream are measured in alternation, with a second direct
//! measurement as the A/A control. Other load on the machine changes the figures: compare only figures of one run.

mod action;
mod deploys;
mod figure;
mod large_uploads;
mod ledger;
mod requests;

use anyhow::Result;
use clap::Parser;
use end_to_end::{Issuer, Options, Platform};
use serde_json::json;

/// Measures the deploy API.
#[derive(Parser)]
#[command(name = "npm run bench:deploy --")]
struct Arguments {
    /// The number of rounds, of which the median is reported
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// The number of deploys of each kind in a round
    #[arg(long, default_value_t = 40)]
    deploys: usize,
    /// The length of the audit log, in entries
    #[arg(long, default_value_t = 100_000)]
    entries: usize,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let issuer = Issuer::start()?;
    let issuers = json!([issuer.address()]).to_string();
    let upstream = Platform::shared();
    let platform = Platform::try_start(
        Options::new()
            .upstream(upstream.base_url())
            .deploy_api_variable("CLOUDFLARE_API_TOKEN", upstream.token())
            .deploy_api_variable("OIDC_ISSUERS", &issuers),
    )?;
    let mut figures = deploys::deploys(&platform, upstream, &arguments).await?;
    figures.push(action::beyond_wrangler(&issuer, arguments.rounds).await?);
    figures.extend(large_uploads::beside_large_upload(&platform, upstream, &arguments).await?);
    figures.extend(ledger::memory(&platform).await?);
    figures.push(ledger::exchanges(&platform, &issuer).await?);
    figures.extend(ledger::audit_log(&platform, &arguments).await?);
    figure::print(&figures, arguments.json)
}
