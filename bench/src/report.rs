//! The figures of a run: what `--json` writes, and what the table shows.

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
    pub rounds: usize,
    pub lengths: Lengths,
    /// The part of the time, over all slices, that workerd was ready to run and had no core: the noise of the machine.
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
    /// In bytes, in the first round: by the second, every process has seen the loads that fill memory.
    pub peak_memory: u64,
    /// The dispatch Worker's figure divided by this contender's, of each round.
    pub dispatcher_to_this: Option<Ratios>,
    pub slices: Vec<Slice>,
}

#[derive(Serialize)]
pub struct Ratios {
    pub requests_per_second: Spread,
    pub cpu: Spread,
    pub p99: Spread,
}

/// The figures of a contender that no load changes.
#[derive(Serialize)]
pub struct FixedFigures {
    pub contender: Contender,
    /// Wasm and JavaScript, each compressed by gzip, in bytes.
    pub size_on_the_wire: usize,
    /// From the code to the end of the first answer, in milliseconds.
    pub start_ms: Option<Spread>,
    /// The memory of the workerd process before it answered anything, in bytes.
    pub memory_at_start: u64,
    /// The same after all rounds.
    pub memory_at_end: u64,
}

impl LoadFigures {
    /// The figures of every contender under the load, in the contenders' order.
    pub fn of(load: Load, all: &[Series]) -> Option<Self> {
        let of_this_load = || all.iter().filter(|series| series.load == load);
        let ours = of_this_load().find(|series| series.contender == Contender::Dispatcher);
        let contenders: Vec<_> = of_this_load()
            .filter_map(|series| ContenderFigures::of(series, ours))
            .collect();
        let figures = Self {
            load: load.name(),
            title: load.title(),
            contenders,
        };
        (!figures.contenders.is_empty()).then_some(figures)
    }

    pub fn of_contender(&self, contender: Contender) -> Option<&ContenderFigures> {
        self.contenders
            .iter()
            .find(|figures| figures.contender == contender)
    }
}

impl ContenderFigures {
    fn of(series: &Series, ours: Option<&Series>) -> Option<Self> {
        let spread = |figure: fn(&Slice) -> f64| Spread::of(series.slices.iter().map(figure));
        Some(Self {
            contender: series.contender,
            requests_per_second: spread(|slice| slice.requests_per_second)?,
            cpu_us: spread(|slice| slice.cpu_us)?,
            p50_us: spread(|slice| slice.p50_us)?,
            p99_us: spread(|slice| slice.p99_us)?,
            peak_memory: series.slices.first()?.peak_memory,
            dispatcher_to_this: ours
                .filter(|ours| ours.contender != series.contender)
                .and_then(|ours| Ratios::of(&ours.slices, &series.slices)),
            slices: series.slices.clone(),
        })
    }
}

impl Ratios {
    fn of(ours: &[Slice], theirs: &[Slice]) -> Option<Self> {
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
            p99: spread(|slice| slice.p99_us)?,
        })
    }
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

    #[test]
    fn ratios_are_of_rounds_and_not_of_medians() {
        let load = Load::Echo;
        let series = |contender, rates: [f64; 3]| Series {
            load,
            contender,
            slices: rates.map(slice).to_vec(),
        };
        // The machine is half as fast in the second round, and the contenders are alike in every round.
        let all = [
            series(Contender::Dispatcher, [100.0, 50.0, 110.0]),
            series(Contender::Hono, [100.0, 50.0, 100.0]),
        ];
        let figures = LoadFigures::of(load, &all).unwrap();
        let hono = figures.of_contender(Contender::Hono).unwrap();
        let ratio = hono.dispatcher_to_this.as_ref().unwrap().requests_per_second;
        assert_eq!((ratio.median, ratio.maximum), (1.0, 1.1));
        assert!(
            figures
                .of_contender(Contender::Dispatcher)
                .unwrap()
                .dispatcher_to_this
                .is_none()
        );
    }
}
