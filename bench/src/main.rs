//! `npm run bench`: compares this dispatch Worker with its alternatives and with an earlier build, on workerd, in one run.
//!
//! Every contender runs in a separate workerd, in front of the same user Worker, through the same namespace binding. The
//! loads run on them in rounds, so that changes of the machine affect all of them, and the ratios of each round are
//! compared. `docs/performance.md` describes the method and has the last results.

mod budget;
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
mod usage;
mod workerd;

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Context, Result, bail};
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
};

#[derive(Parser)]
#[command(
    override_usage = "npm run bench -- [OPTIONS]",
    about = "Compares the dispatch Worker with its alternatives and with an earlier build"
)]
struct Arguments {
    /// A short run: fewer and shorter rounds, a tenth of the soak
    #[arg(long)]
    quick: bool,
    /// Write every figure as JSON, with versions and the machine
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "target/bench/report.json")]
    json: Option<PathBuf>,
    /// Also build the dispatch Worker of this commit, and compare with it
    #[arg(long, value_name = "COMMIT")]
    baseline: Option<String>,
    /// Only these contenders (the A/A control runs with `dispatcher`, the baseline with `--baseline`)
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    contenders: Vec<Contender>,
    /// Only these loads
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    loads: Vec<Load>,
    /// How often every contender is started
    #[arg(long)]
    starts: Option<usize>,
    /// How many rounds follow each start
    #[arg(long)]
    rounds: Option<usize>,
    /// How long each contender runs under each load in a round, in milliseconds
    #[arg(long, value_name = "MS")]
    slice: Option<u64>,
    /// How many requests the soak sends; 0 skips it
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
    let contenders = arguments.contenders()?;
    let compared = |contender| contenders.contains(&contender);
    if compared(Contender::Dispatcher) && compared(Contender::SameFeatures) {
        parity::check(&setting, progress).await?;
    }
    let plan = arguments.plan(&contenders);
    let (all, memory) = plan.run(&setting, progress).await?;
    let starts = startup::measure(&setting, &contenders, arguments.isolates(), progress).await?;
    let mut fixed = Vec::new();
    for (&contender, start_ms) in contenders.iter().zip(starts) {
        let position = plan.contenders.iter().position(|&other| other == contender);
        let memory = position.and_then(|position| memory.get(position));
        fixed.push(FixedFigures {
            contender,
            gzip_size: Bundle::open(&setting.folder, contender)?.gzip_size()?,
            start_ms,
            memory_at_start: memory.map(|memory| memory.at_start),
            memory_at_end: memory.map(|memory| memory.at_end),
        });
    }
    let mut soaks = Vec::new();
    for contender in [Contender::Dispatcher, Contender::Control, Contender::Baseline] {
        if arguments.soak() > 0 && compared(contender) {
            soaks.push(Soak::run(&setting, contender, arguments.soak(), progress).await?);
        }
    }
    Ok(Report {
        machine,
        baseline: arguments.baseline.clone(),
        starts: plan.starts,
        rounds: plan.starts * plan.rounds,
        lengths: plan.lengths,
        waiting: report::waiting(&all),
        loads: plan
            .loads
            .iter()
            .filter_map(|load| LoadFigures::of(*load, &all, plan.rounds))
            .collect(),
        fixed,
        soaks,
    })
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

    /// The named contenders or all of them, always with the A/A control of the dispatch Worker.
    fn contenders(&self) -> Result<Vec<Contender>> {
        if self.contenders.contains(&Contender::Baseline) && self.baseline.is_none() {
            bail!("the contender `baseline` needs a commit: add `--baseline <commit>`");
        }
        let named = |contender| self.contenders.is_empty() || self.contenders.contains(&contender);
        let included = |contender: &Contender| match contender {
            Contender::Baseline => self.baseline.is_some(),
            Contender::Control => named(Contender::Dispatcher) || named(Contender::Control),
            &other => named(other),
        };
        Ok(Contender::ALL.into_iter().filter(included).collect())
    }

    fn plan(&self, contenders: &[Contender]) -> Plan {
        let (starts, rounds, measured) = if self.quick { (1, 3, 300) } else { (5, 2, 500) };
        Plan {
            contenders: contenders
                .iter()
                .copied()
                .filter(|contender| contender.serves())
                .collect(),
            loads: Load::ALL
                .into_iter()
                .filter(|load| self.loads.is_empty() || self.loads.contains(load))
                .collect(),
            starts: self.starts.unwrap_or(starts).max(1),
            rounds: self.rounds.unwrap_or(rounds).max(1),
            lengths: Lengths {
                warm_up: Duration::from_millis(if self.quick { 50 } else { 100 }),
                measured: Duration::from_millis(self.slice.unwrap_or(measured)),
            },
        }
    }

    /// How often each contender's isolate is started for its start-up time.
    fn isolates(&self) -> usize {
        if self.quick { 11 } else { 41 }
    }

    fn soak(&self) -> usize {
        self.soak.unwrap_or(if self.quick { 10_000 } else { 100_000 })
    }
}
