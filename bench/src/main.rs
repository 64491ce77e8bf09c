//! `npm run bench`: this dispatch Worker beside its alternatives, on workerd, in one run.
//!
//! Every contender runs in a workerd of its own, in front of the same user Worker, through the same namespace binding.
//! The loads go over them in rounds, so that what the machine does meanwhile meets all of them; what is compared are
//! the ratios of each round. `docs/performance.md` has the method in full and the last results.

mod bundle;
mod client;
mod comparison;
mod configuration;
mod contender;
mod load;
mod machine;
mod parity;
mod progress;
mod report;
mod setting;
mod slice;
mod soak;
mod startup;
mod statistics;
mod table;
mod targets;
mod usage;
mod workerd;

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Context, Result};
use clap::Parser;

use crate::{
    bundle::Bundle,
    comparison::Plan,
    configuration::Compatibility,
    contender::Contender,
    load::Load,
    machine::Machine,
    progress::Progress,
    report::{FixedFigures, LoadFigures, Report},
    setting::Setting,
    slice::Lengths,
    soak::Soak,
    startup::Starter,
    statistics::Spread,
};

#[derive(Parser)]
#[command(
    name = "npm run bench --",
    about = "Compares the dispatch Worker with its alternatives"
)]
struct Arguments {
    /// A short run: fewer and shorter rounds, a tenth of the soak
    #[arg(long)]
    quick: bool,
    /// Write every figure as JSON, with versions and the machine
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "target/bench/report.json")]
    json: Option<PathBuf>,
    /// Only these contenders
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    contenders: Vec<Contender>,
    /// Only these loads
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    loads: Vec<Load>,
    /// How often every contender is started anew
    #[arg(long)]
    starts: Option<usize>,
    /// How many rounds each start sees
    #[arg(long)]
    rounds: Option<usize>,
    /// How long each contender runs under each load in a round, in milliseconds
    #[arg(long, value_name = "MS")]
    slice: Option<u64>,
    /// How many requests the soak sends; 0 leaves it out
    #[arg(long, value_name = "REQUESTS")]
    soak: Option<usize>,
    /// The folder that holds the contenders' bundles
    #[arg(long, value_name = "FOLDER", hide = true)]
    folder: PathBuf,
    /// The workerd binary
    #[arg(long, value_name = "FILE", hide = true)]
    workerd: PathBuf,
    /// The compatibility date of the dispatch Worker's deployment
    #[arg(long, hide = true)]
    compatibility_date: String,
    /// Its compatibility flags
    #[arg(long, value_delimiter = ',', hide = true)]
    compatibility_flags: Vec<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut progress = Progress::begin();
    let report = measure(&arguments, &mut progress).await;
    progress.end();
    let report = report?;
    println!("{report}");
    println!("It took {:.1} minutes.", progress.elapsed().as_secs_f64() / 60.0);
    if let Some(file) = &arguments.json {
        fs::write(file, serde_json::to_string_pretty(&report)?)
            .with_context(|| format!("cannot write {}", file.display()))?;
        println!("Every figure is in {}.", file.display());
    }
    Ok(())
}

async fn measure(arguments: &Arguments, progress: &mut Progress) -> Result<Report> {
    let setting = arguments.setting();
    let machine = Machine::read(&setting)?;
    let plan = arguments.plan();
    let (all, memory) = plan.run(&setting, progress).await?;
    let mut fixed = Vec::new();
    for (&contender, memory) in plan.contenders.iter().zip(memory) {
        fixed.push(FixedFigures {
            contender,
            size_on_the_wire: Bundle::open(&setting.folder, contender)?.size_on_the_wire()?,
            start_ms: None,
            memory_at_start: memory.at_start,
            memory_at_end: memory.at_end,
        });
    }
    measure_starts(&setting, arguments.isolates(), &mut fixed, progress).await?;
    let mut soaks = Vec::new();
    for contender in [Contender::Dispatcher, Contender::TwoLookUps] {
        if arguments.soak() > 0 && plan.contenders.contains(&contender) {
            soaks.push(Soak::run(&setting, contender, arguments.soak(), progress).await?);
        }
    }
    Ok(Report {
        machine,
        rounds: plan.starts * plan.rounds,
        lengths: plan.lengths,
        waiting: report::waiting(&all),
        loads: plan
            .loads
            .iter()
            .filter_map(|load| LoadFigures::of(*load, &all))
            .collect(),
        fixed,
        soaks,
    })
}

async fn measure_starts(
    setting: &Setting,
    count: usize,
    fixed: &mut [FixedFigures],
    progress: &mut Progress,
) -> Result<()> {
    progress.step(format_args!("starting isolates"));
    let mut starters = Vec::new();
    for figures in fixed.iter() {
        starters.push((Starter::start(setting, figures.contender)?, Vec::new()));
    }
    for _ in 0..count {
        for (starter, times) in &mut starters {
            times.push(starter.once().await?.as_secs_f64() * 1e3);
        }
    }
    for (figures, (_, times)) in fixed.iter_mut().zip(starters) {
        // The first start also warms up the Worker that starts the others.
        figures.start_ms = Spread::of(times.into_iter().skip(1));
    }
    Ok(())
}

impl Arguments {
    fn setting(&self) -> Setting {
        Setting {
            workerd: self.workerd.clone(),
            folder: self.folder.clone(),
            compatibility: Compatibility {
                date: self.compatibility_date.clone(),
                flags: self.compatibility_flags.clone(),
            },
        }
    }

    fn plan(&self) -> Plan {
        let (starts, rounds, measured) = if self.quick { (1, 3, 300) } else { (3, 3, 800) };
        Plan {
            contenders: chosen(&self.contenders, &Contender::ALL),
            loads: chosen(&self.loads, &Load::ALL),
            starts: self.starts.unwrap_or(starts).max(1),
            rounds: self.rounds.unwrap_or(rounds).max(1),
            lengths: Lengths {
                warm_up: Duration::from_millis(if self.quick { 50 } else { 100 }),
                measured: Duration::from_millis(self.slice.unwrap_or(measured)),
            },
        }
    }

    /// How often each isolate is started for its start-up time.
    fn isolates(&self) -> usize {
        if self.quick { 11 } else { 41 }
    }

    fn soak(&self) -> usize {
        self.soak.unwrap_or(if self.quick { 10_000 } else { 100_000 })
    }
}

/// Those that were named, or all, in the order of all.
fn chosen<T: Copy + PartialEq>(named: &[T], all: &[T]) -> Vec<T> {
    all.iter()
        .copied()
        .filter(|one| named.is_empty() || named.contains(one))
        .collect()
}
