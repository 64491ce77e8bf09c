//! Deploys through the deploy API and directly to the same upstream.

use anyhow::Result;
use end_to_end::Platform;

use crate::Arguments;
use crate::figure::{Figure, median};
use crate::requests::{CLIENTS, deploy, timed};

/// The rates of small deploys.
pub async fn deploys(platform: &Platform, upstream: &Platform, arguments: &Arguments) -> Result<Vec<Figure>> {
    let mut rates: [Vec<f64>; 3] = Default::default();
    for round in 0..arguments.rounds {
        for (rates, platform) in rates.iter_mut().zip([upstream, platform, upstream]) {
            let requests = (0..arguments.deploys).map(|number| deploy(platform, number, &round.to_string()));
            let times = timed(requests, CLIENTS).await?;
            rates.push(times.per_second());
        }
        eprintln!("deploys: round {} of {}", round + 1, arguments.rounds);
    }
    let ratios = |other: usize| {
        let pairs = rates
            .first()
            .into_iter()
            .flatten()
            .zip(rates.get(other).into_iter().flatten());
        median(pairs.map(|(direct, other)| other / direct).collect())
    };
    let [direct, through, _] = rates.clone().map(median);
    Ok(vec![
        Figure::new("deploys directly", direct, "/s", None),
        Figure::new("deploys through the API", through, "/s", None),
        Figure::new("through the API : directly", ratios(1), "", Some("at least 0.75")),
        Figure::new("directly : directly (A/A)", ratios(2), "", None),
    ])
}
