//! The rounds: every load on every contender, interleaved, so that changes of the machine affect all of them.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::{
    client::Connection,
    configuration::Optional,
    contender::Contender,
    load::Load,
    progress::Progress,
    setting::Setting,
    slice::{self, Lengths, Slice},
    usage,
    workerd::{Output, Workerd},
};

/// The contenders, the loads and the duration of a comparison.
pub struct Plan {
    /// Those that serve requests.
    pub contenders: Vec<Contender>,
    pub loads: Vec<Load>,
    /// How often every contender is started: two processes of one program differ for as long as they live.
    pub starts: usize,
    /// The number of rounds after each start.
    pub rounds: usize,
    pub lengths: Lengths,
}

/// How long a process runs before it is measured, so that its code is compiled.
const WARM_UP: Lengths = Lengths {
    warm_up: Duration::ZERO,
    measured: Duration::from_secs(1),
};

/// The slices of one load on one contender, by round.
pub struct Series {
    pub load: Load,
    pub contender: Contender,
    pub slices: Vec<Slice>,
}

/// The memory of a contender's process at rest, in bytes.
#[derive(Clone, Copy)]
pub struct Memory {
    pub at_start: u64,
    pub at_end: u64,
}

/// The processes of a contender.
struct Running {
    contender: Contender,
    workerd: Workerd,
    /// The process with `ANALYTICS` bound, if a load needs it.
    with_analytics: Option<Workerd>,
    /// The process with a Worker that calls through a service binding, if a load needs it.
    with_caller: Option<Workerd>,
    memory_at_start: u64,
}

impl Plan {
    /// Runs everything. The memory is that of the last start of each contender, in the contenders' order.
    pub async fn run(
        &self,
        setting: &Setting,
        progress: &mut Progress,
    ) -> Result<(Vec<Series>, Vec<Memory>)> {
        let mut all = self.series();
        let mut memory = Vec::new();
        for start in 0..self.starts {
            progress.step(format_args!("starting {} contenders", self.contenders.len()));
            let running = self.start(setting)?;
            self.check(&running).await?;
            for running in &running {
                progress.step(format_args!("warming up: {}", running.contender.title()));
                slice::run(&running.workerd, Load::Get { connections: 16 }, WARM_UP).await?;
                if let Some(workerd) = &running.with_analytics {
                    slice::run(workerd, Load::Analytics, WARM_UP).await?;
                }
                if let Some(workerd) = &running.with_caller {
                    slice::run(workerd, Load::ServiceBinding, WARM_UP).await?;
                }
            }
            for round in 0..self.rounds {
                let number = start * self.rounds + round;
                self.run_round(&running, number, &mut all, progress).await?;
            }
            memory = running.iter().map(Running::memory).collect::<Result<_>>()?;
        }
        Ok((all, memory))
    }

    fn series(&self) -> Vec<Series> {
        let of = |&contender: &Contender| {
            self.loads_of(contender).map(move |&load| Series {
                load,
                contender,
                slices: Vec::new(),
            })
        };
        self.contenders.iter().flat_map(of).collect()
    }

    fn start(&self, setting: &Setting) -> Result<Vec<Running>> {
        let start = |&contender: &Contender| {
            let serve = |name, optional| Workerd::serve(setting, contender, name, optional, Output::Discard);
            let workerd = serve("serving", Optional::default())?;
            let needed_by = |needing: Load| self.loads_of(contender).any(|&load| load == needing);
            let analytics = Optional {
                analytics: true,
                ..Optional::default()
            };
            let caller = Optional {
                caller: true,
                ..Optional::default()
            };
            Ok(Running {
                contender,
                memory_at_start: usage::memory(workerd.id())?,
                workerd,
                with_analytics: needed_by(Load::Analytics)
                    .then(|| serve("analytics", analytics))
                    .transpose()?,
                with_caller: needed_by(Load::ServiceBinding)
                    .then(|| serve("caller", caller))
                    .transpose()?,
            })
        };
        self.contenders.iter().map(start).collect()
    }

    /// Sends one request of every load to every contender, so that a wrong response ends the benchmark at once. Leaves
    /// out the loads that would fill the process's memory before it is measured.
    async fn check(&self, running: &[Running]) -> Result<()> {
        for running in running {
            let loads = self.loads_of(running.contender);
            for &load in loads.filter(|load| !load.fills_memory()) {
                let workerd = running.workerd(load);
                let mut connection = Connection::open(workerd.ports.http).await?;
                let (request, expected) = load.requests().make(1);
                connection
                    .exchange(request, &expected)
                    .await
                    .with_context(|| running.describe(load))?;
            }
        }
        Ok(())
    }

    /// Runs every load on every contender. The order of the contenders rotates by one from round to round.
    async fn run_round(
        &self,
        running: &[Running],
        round: usize,
        all: &mut [Series],
        progress: &mut Progress,
    ) -> Result<()> {
        for &load in &self.loads {
            let rounds = self.starts * self.rounds;
            progress.step(format_args!("round {} of {rounds}: {}", round + 1, load.title()));
            let (before, after) = running.split_at(round % running.len().max(1));
            for running in after.iter().chain(before) {
                let of_this =
                    |series: &&mut Series| series.load == load && series.contender == running.contender;
                if let Some(series) = all.iter_mut().find(of_this) {
                    let slice = slice::run(running.workerd(load), load, self.lengths).await;
                    series.slices.push(slice.with_context(|| running.describe(load))?);
                }
            }
        }
        Ok(())
    }

    fn loads_of(&self, contender: Contender) -> impl Iterator<Item = &Load> {
        self.loads.iter().filter(move |load| load.runs_on(contender))
    }
}

impl Running {
    /// The process that serves the load.
    fn workerd(&self, load: Load) -> &Workerd {
        let other = match load {
            Load::Analytics => self.with_analytics.as_ref(),
            Load::ServiceBinding => self.with_caller.as_ref(),
            _ => None,
        };
        other.unwrap_or(&self.workerd)
    }

    fn describe(&self, load: Load) -> String {
        format!(
            "{}, {}: {}",
            self.contender.title(),
            load.title(),
            self.workerd(load).log()
        )
    }

    fn memory(&self) -> Result<Memory> {
        Ok(Memory {
            at_start: self.memory_at_start,
            at_end: usage::memory(self.workerd.id())?,
        })
    }
}
