//! The figures of a run, which `--json` writes and the table shows.

use serde::Serialize;

use crate::{
    comparison::Series,
    contender::Contender,
    load::Load,
    machine::Machine,
    slice::{Lengths, Slice},
    soak::Soak,
    statistics::Spread,
};

#[derive(Serialize)]
pub struct Report {
    pub machine: Machine,
    /// The commit of the baseline build.
    pub baseline: Option<String>,
    pub starts: usize,
    /// The number of rounds of all starts.
    pub rounds: usize,
    pub lengths: Lengths,
    /// The fraction of the time, over all slices, that workerd was ready to run and had no core.
    pub waiting: f64,
    pub loads: Vec<LoadFigures>,
    pub fixed: Vec<FixedFigures>,
    pub soaks: Vec<Soak>,
}

#[derive(Serialize)]
pub struct LoadFigures {
    pub load: &'static str,
    #[serde(skip)]
    pub title: String,
    pub contenders: Vec<ContenderFigures>,
}

/// The figures of one contender under one load.
#[derive(Serialize)]
pub struct ContenderFigures {
    pub contender: Contender,
    pub requests_per_second: Spread,
    pub cpu_us: Spread,
    pub p50_us: Spread,
    pub p99_us: Spread,
    /// In bytes, in the first round of each start: after it every process has run the loads that fill memory.
    pub peak_memory: Spread,
    /// The dispatch Worker's figure divided by this contender's, round by round.
    pub dispatcher_to_this: Option<Ratios>,
    pub slices: Vec<Slice>,
}

#[derive(Serialize)]
pub struct Ratios {
    pub requests_per_second: Spread,
    pub cpu: Spread,
    pub peak_memory: Spread,
}

/// The figures of a contender that do not depend on a load.
#[derive(Serialize)]
pub struct FixedFigures {
    pub contender: Contender,
    /// Wasm and JavaScript, each compressed with gzip, in bytes.
    pub gzip_size: usize,
    /// From the code to the end of the first response, in milliseconds.
    pub start_ms: Option<Spread>,
    /// The memory of the workerd process before the first request and after all rounds, in bytes.
    pub memory_at_start: Option<u64>,
    pub memory_at_end: Option<u64>,
}

impl LoadFigures {
    /// The figures of every contender under the load, in the contenders' order.
    ///
    /// `rounds` is the number of rounds of each start.
    pub fn of(load: Load, all: &[Series], rounds: usize) -> Option<Self> {
        let of_this_load = || all.iter().filter(|series| series.load == load);
        let ours = of_this_load().find(|series| series.contender == Contender::Dispatcher);
        let contenders: Vec<_> = of_this_load()
            .filter_map(|series| ContenderFigures::of(series, ours, rounds))
            .collect();
        let figures = Self {
            load: load.name(),
            title: load.title(),
            contenders,
        };
        (!figures.contenders.is_empty()).then_some(figures)
    }

    /// The dispatch Worker's figures divided by those of a contender that ran.
    pub fn ratios(&self, contender: Contender) -> Option<&Ratios> {
        self.of_contender(contender)?.dispatcher_to_this.as_ref()
    }

    pub fn of_contender(&self, contender: Contender) -> Option<&ContenderFigures> {
        self.contenders
            .iter()
            .find(|figures| figures.contender == contender)
    }
}

impl ContenderFigures {
    fn of(series: &Series, ours: Option<&Series>, rounds: usize) -> Option<Self> {
        let spread = |figure: fn(&Slice) -> f64| Spread::of(series.slices.iter().map(figure));
        Some(Self {
            contender: series.contender,
            requests_per_second: spread(|slice| slice.requests_per_second)?,
            cpu_us: spread(|slice| slice.cpu_us)?,
            p50_us: spread(|slice| slice.p50_us)?,
            p99_us: spread(|slice| slice.p99_us)?,
            peak_memory: Spread::of(first_rounds(&series.slices, rounds).map(memory))?,
            dispatcher_to_this: ours
                .filter(|ours| ours.contender != series.contender)
                .and_then(|ours| Ratios::of(&ours.slices, &series.slices, rounds)),
            slices: series.slices.clone(),
        })
    }
}

impl Ratios {
    fn of(ours: &[Slice], theirs: &[Slice], rounds: usize) -> Option<Self> {
        let spread = |figure: fn(&Slice) -> f64| {
            Spread::of(
                ours.iter()
                    .zip(theirs)
                    .map(|(ours, theirs)| figure(ours) / figure(theirs)),
            )
        };
        Some(Self {
            requests_per_second: spread(|slice| slice.requests_per_second)?,
            cpu: spread(|slice| slice.cpu_us)?,
            peak_memory: Spread::of(
                first_rounds(ours, rounds)
                    .zip(first_rounds(theirs, rounds))
                    .map(|(ours, theirs)| memory(ours) / memory(theirs)),
            )?,
        })
    }
}

/// The first slice after each start.
fn first_rounds(slices: &[Slice], rounds: usize) -> impl Iterator<Item = &Slice> {
    slices.iter().step_by(rounds.max(1))
}

#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 bytes")]
fn memory(slice: &Slice) -> f64 {
    slice.peak_memory as f64
}

/// The mean of [`Slice::waiting`].
pub fn waiting(all: &[Series]) -> f64 {
    let parts: Vec<_> = all
        .iter()
        .flat_map(|series| &series.slices)
        .map(|slice| slice.waiting)
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 slices")]
    let count = parts.len().max(1) as f64;
    parts.iter().sum::<f64>() / count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(requests_per_second: f64) -> Slice {
        Slice {
            requests_per_second,
            cpu_us: 1.0,
            p50_us: 1.0,
            p99_us: 1.0,
            peak_memory: 1,
            waiting: 0.0,
        }
    }

    fn series(contender: Contender, rates: [f64; 3]) -> Series {
        Series {
            load: Load::Echo,
            contender,
            slices: rates.map(slice).to_vec(),
        }
    }

    #[test]
    fn ratios_are_computed_in_each_round() {
        // The machine is half as fast in the second round, and the contenders are equal in it.
        let all = [
            series(Contender::Dispatcher, [100.0, 50.0, 110.0]),
            series(Contender::Hono, [100.0, 50.0, 100.0]),
        ];
        let figures = LoadFigures::of(Load::Echo, &all, 3).unwrap();
        let ratio = figures.ratios(Contender::Hono).unwrap().requests_per_second;
        assert_eq!((ratio.median, ratio.maximum), (1.0, 1.1));
        assert!(figures.ratios(Contender::Dispatcher).is_none());
    }

    #[test]
    fn memory_is_that_of_the_first_round_of_each_start() {
        let slices: Vec<_> = [10, 99, 30, 99]
            .map(|peak_memory| Slice {
                peak_memory,
                ..slice(1.0)
            })
            .to_vec();
        let peaks: Vec<_> = first_rounds(&slices, 2).map(memory).collect();
        assert_eq!(peaks, [10.0, 30.0]);
    }
}
