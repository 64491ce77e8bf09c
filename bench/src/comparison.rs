//! The rounds: every load on every contender, again and again, so that what the machine does meanwhile meets all.

use std::path::Path;

use anyhow::{Context, Result};

use crate::{
    bundle::Bundle,
    client::Connection,
    configuration::{Compatibility, Configuration},
    contender::Contender,
    load::Load,
    progress::Progress,
    slice::{self, Lengths, Slice},
    workerd::Workerd,
};

/// What is compared, and for how long.
pub struct Plan {
    pub contenders: Vec<Contender>,
    pub loads: Vec<Load>,
    pub rounds: usize,
    pub lengths: Lengths,
}

/// The slices of one load on one contender, by round.
pub struct Series {
    pub load: Load,
    pub contender: Contender,
    pub slices: Vec<Slice>,
}

/// A contender that is running.
pub struct Running {
    pub contender: Contender,
    pub workerd: Workerd,
}

impl Plan {
    /// Starts a workerd for every contender.
    pub fn start(
        &self,
        workerd: &Path,
        folder: &Path,
        compatibility: &Compatibility,
    ) -> Result<Vec<Running>> {
        let start = |&contender: &Contender| {
            let bundle = Bundle::open(folder, contender)?;
            let configuration =
                |port| Configuration { compatibility, port }.serving(contender, &bundle.modules());
            let workerd = Workerd::start(workerd, &bundle.folder, "serving", configuration)
                .with_context(|| format!("{} does not start", contender.title()))?;
            Ok(Running { contender, workerd })
        };
        self.contenders.iter().map(start).collect()
    }

    /// Asks every contender once for everything, so that a wrong answer ends the benchmark in its first second.
    pub async fn check(&self, running: &[Running]) -> Result<()> {
        for Running { contender, workerd } in running {
            for &load in self.loads_of(*contender) {
                let mut connection = Connection::open(workerd.port).await?;
                let (request, expected) = load.requests().make(1);
                connection
                    .exchange(request, &expected)
                    .await
                    .with_context(|| format!("{}, {}: {}", contender.title(), load.title(), workerd.log()))?;
            }
        }
        Ok(())
    }

    /// Runs all rounds. The order of the contenders turns by one from round to round.
    pub async fn run(&self, running: &[Running], progress: &mut Progress) -> Result<Vec<Series>> {
        let mut all: Vec<_> = running
            .iter()
            .flat_map(|Running { contender, .. }| {
                let series = |&load| Series {
                    load,
                    contender: *contender,
                    slices: Vec::new(),
                };
                self.loads_of(*contender).map(series)
            })
            .collect();
        for round in 0..self.rounds {
            for load in &self.loads {
                progress.step(format_args!(
                    "round {} of {}: {}",
                    round + 1,
                    self.rounds,
                    load.title()
                ));
                for turn in 0..running.len() {
                    let Some(Running { contender, workerd }) = running.get((turn + round) % running.len())
                    else {
                        continue;
                    };
                    let of_this =
                        |series: &&mut Series| series.load == *load && series.contender == *contender;
                    if let Some(series) = all.iter_mut().find(of_this) {
                        let slice = slice::run(workerd, *load, self.lengths).await;
                        series.slices.push(slice.with_context(|| {
                            format!("{}, {}: {}", contender.title(), load.title(), workerd.log())
                        })?);
                    }
                }
            }
        }
        Ok(all)
    }

    fn loads_of(&self, contender: Contender) -> impl Iterator<Item = &Load> {
        self.loads
            .iter()
            .filter(move |load| contender.dispatches() || !load.needs_dispatcher())
    }
}
