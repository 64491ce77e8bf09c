//! The rounds: every load on every contender, again and again, so that what the machine does meanwhile meets all.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::{
    bundle::Bundle,
    client::Connection,
    configuration::Configuration,
    contender::Contender,
    load::Load,
    parity,
    progress::Progress,
    setting::Setting,
    slice::{self, Lengths, Slice},
    usage,
    workerd::Workerd,
};

/// What is compared, and for how long.
pub struct Plan {
    pub contenders: Vec<Contender>,
    pub loads: Vec<Load>,
    /// How often every contender is started anew: no two processes of one program are equally fast.
    pub starts: usize,
    /// How many rounds each start sees.
    pub rounds: usize,
    pub lengths: Lengths,
}

/// How long a contender runs before anything is measured: until its code is compiled as well as it will be.
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

/// A contender that is running.
pub struct Running {
    pub contender: Contender,
    pub workerd: Workerd,
    memory_at_start: u64,
}

impl Plan {
    /// Runs everything. The memory is that of the last start of each contender.
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
            parity::check(&running).await?;
            for Running {
                contender, workerd, ..
            } in &running
            {
                progress.step(format_args!("warming up: {}", contender.title()));
                slice::run(workerd, Load::Get { connections: 16 }, WARM_UP).await?;
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
            let bundle = Bundle::open(&setting.folder, contender)?;
            let compatibility = &setting.compatibility;
            let configuration =
                |port| Configuration { compatibility, port }.serving(contender, &bundle.modules());
            let workerd = Workerd::start(&setting.workerd, &bundle.folder, "serving", configuration)
                .with_context(|| format!("{} does not start", contender.title()))?;
            Ok(Running {
                contender,
                memory_at_start: usage::memory(workerd.id())?,
                workerd,
            })
        };
        self.contenders.iter().map(start).collect()
    }

    /// Asks every contender once for everything, so that a wrong answer ends the benchmark in its first second; but not
    /// for what would fill the process's memory before that is measured.
    async fn check(&self, running: &[Running]) -> Result<()> {
        for Running {
            contender, workerd, ..
        } in running
        {
            for &load in self.loads_of(*contender).filter(|load| !load.fills_memory()) {
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

    /// The order of the contenders turns by one from round to round.
    async fn run_round(
        &self,
        running: &[Running],
        round: usize,
        all: &mut [Series],
        progress: &mut Progress,
    ) -> Result<()> {
        for load in &self.loads {
            let rounds = self.starts * self.rounds;
            progress.step(format_args!("round {} of {rounds}: {}", round + 1, load.title()));
            for turn in 0..running.len() {
                let Some(Running {
                    contender, workerd, ..
                }) = running.get((turn + round) % running.len())
                else {
                    continue;
                };
                let of_this = |series: &&mut Series| series.load == *load && series.contender == *contender;
                if let Some(series) = all.iter_mut().find(of_this) {
                    let slice = slice::run(workerd, *load, self.lengths).await;
                    series.slices.push(slice.with_context(|| {
                        format!("{}, {}: {}", contender.title(), load.title(), workerd.log())
                    })?);
                }
            }
        }
        Ok(())
    }

    fn loads_of(&self, contender: Contender) -> impl Iterator<Item = &Load> {
        self.loads
            .iter()
            .filter(move |load| contender.dispatches() || !load.needs_dispatcher())
    }
}

impl Running {
    fn memory(&self) -> Result<Memory> {
        Ok(Memory {
            at_start: self.memory_at_start,
            at_end: usage::memory(self.workerd.id())?,
        })
    }
}
