//! The performance budget: every measured figure next to its limit.
//!
//! Most limits are relative to the baseline build of the same run. "The noise" of a load is how far the quartiles of the
//! ratio between two copies of one build (the A/A control) are from 1: a difference below it cannot be measured.

use std::fmt;

use crate::{
    contender::Contender,
    load::Load,
    report::{FixedFigures, LoadFigures, Ratios, Report},
    soak::Soak,
    statistics::Spread,
};

/// What a figure may differ from the baseline's when the noise is smaller.
const TOLERANCE: f64 = 0.03;
/// What the start-up may take longer than the baseline's, in milliseconds.
const START_UP_MS: f64 = 2.5;
/// The size of Wasm and JavaScript, gzip, in kilobytes of 1,000 bytes.
const SIZE_KB: f64 = 104.0;

/// One line of the budget.
pub struct Line {
    what: String,
    measured: f64,
    limit: Limit,
}

#[derive(Clone, Copy)]
enum Limit {
    AtLeast(f64),
    AtMost(f64),
    /// The figure is printed for comparison only.
    None,
}

impl Line {
    fn new(what: impl Into<String>, measured: f64, limit: Limit) -> Self {
        Self {
            what: what.into(),
            measured,
            limit,
        }
    }

    fn is_within(&self) -> bool {
        match self.limit {
            Limit::AtLeast(limit) => self.measured >= limit,
            Limit::AtMost(limit) => self.measured <= limit,
            Limit::None => true,
        }
    }
}

/// Every line that the report has the figures for.
pub fn lines(report: &Report) -> Vec<Line> {
    let mut lines = Vec::new();
    for load in Load::ALL {
        let Some(figures) = report.loads.iter().find(|figures| figures.load == load.name()) else {
            continue;
        };
        if let Load::MissingWorker | Load::UnknownHost = load {
            lines.extend(errors(figures));
        } else {
            lines.extend(unchanged(load, figures));
        }
    }
    lines.extend(soaks(&report.soaks));
    lines.extend(fixed(&report.fixed));
    lines
}

/// Requests per second, CPU and memory of the baseline within the tolerance or the noise.
fn unchanged(load: Load, figures: &LoadFigures) -> Vec<Line> {
    let Some(ratios) = figures.ratios(Contender::Baseline) else {
        return Vec::new();
    };
    let allowed = |figure: fn(&Ratios) -> Spread| tolerance(figures, figure);
    let name = figures.load;
    let mut lines = vec![
        Line::new(
            format!("{name}: requests/s ÷ baseline"),
            ratios.requests_per_second.median,
            Limit::AtLeast(1.0 - allowed(|ratios| ratios.requests_per_second)),
        ),
        Line::new(
            format!("{name}: CPU ÷ baseline"),
            ratios.cpu.median,
            Limit::AtMost(1.0 + allowed(|ratios| ratios.cpu)),
        ),
    ];
    if matches!(load, Load::Get { connections: 256 } | Load::Echo) {
        lines.push(Line::new(
            format!("{name}: peak memory ÷ baseline"),
            ratios.peak_memory.median,
            Limit::AtMost(1.0 + allowed(|ratios| ratios.peak_memory)),
        ));
    }
    lines
}

fn tolerance(figures: &LoadFigures, figure: fn(&Ratios) -> Spread) -> f64 {
    let control = figures.ratios(Contender::Control);
    control.map_or(TOLERANCE, |control| figure(control).noise().max(TOLERANCE))
}

/// The CPU of an error: never more than the baseline's, and printed against the TypeScript peer's.
fn errors(figures: &LoadFigures) -> Vec<Line> {
    let line = |peer, name, limit| {
        let ratios = figures.ratios(peer)?;
        Some(Line::new(
            format!("{}: CPU ÷ {name}", figures.load),
            ratios.cpu.median,
            limit,
        ))
    };
    let lines = [
        line(Contender::Baseline, "baseline", Limit::AtMost(1.0)),
        line(
            Contender::SameFeatures,
            Contender::SameFeatures.title(),
            Limit::None,
        ),
    ];
    lines.into_iter().flatten().collect()
}

/// Nothing may leak, and CPU and memory are those of the baseline.
fn soaks(soaks: &[Soak]) -> Vec<Line> {
    let ours = soaks.iter().find(|soak| soak.contender == Contender::Dispatcher);
    let Some(ours) = ours else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    if let Some((early, late)) = ours.ends() {
        let mut growth = |what: &str, early: u64, late: u64| {
            #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 bytes")]
            let grown = late as f64 - early as f64;
            lines.push(Line::new(
                format!("soak: growth of {what}"),
                grown,
                Limit::AtMost(0.0),
            ));
        };
        growth("Wasm memory, bytes", early.held.wasm_bytes, late.held.wasm_bytes);
        growth(
            "the tables, entries",
            early.held.table_entries,
            late.held.table_entries,
        );
    }
    lines.extend(soak_ratio("CPU", soaks, Soak::cpu_us));
    lines.extend(soak_ratio(
        "process memory at the end",
        soaks,
        Soak::memory_at_end,
    ));
    lines
}

/// The figure of our soak divided by the baseline's. There is one soak of each, so the noise is the difference between
/// the two copies of one build.
fn soak_ratio(what: &str, soaks: &[Soak], figure: fn(&Soak) -> Option<f64>) -> Option<Line> {
    let of = |contender| figure(soaks.iter().find(|soak| soak.contender == contender)?);
    let ours = of(Contender::Dispatcher)?;
    let noise = of(Contender::Control).map_or(0.0, |control| (ours / control - 1.0).abs());
    Some(Line::new(
        format!("soak: {what} ÷ baseline"),
        ours / of(Contender::Baseline)?,
        Limit::AtMost(1.0 + noise.max(TOLERANCE)),
    ))
}

fn fixed(fixed: &[FixedFigures]) -> Vec<Line> {
    let of = |contender| fixed.iter().find(|figures| figures.contender == contender);
    let Some(ours) = of(Contender::Dispatcher) else {
        return Vec::new();
    };
    #[expect(clippy::cast_precision_loss, reason = "a few kilobytes")]
    let size = ours.gzip_size as f64 / 1e3;
    let mut lines = vec![Line::new(
        "Wasm and JavaScript, gzip, kB",
        size,
        Limit::AtMost(SIZE_KB),
    )];
    if let Some(start) = ours.start_ms {
        let more_than = |contender| Some(start.median - of(contender)?.start_ms?.median);
        for (contender, name, limit) in [
            (Contender::Baseline, "the baseline", Limit::AtMost(START_UP_MS)),
            (Contender::Control, "the second copy", Limit::None),
            (Contender::Empty, "an empty Worker", Limit::None),
        ] {
            let line = |more| Line::new(format!("start-up: ms more than {name}"), more, limit);
            lines.extend(more_than(contender).map(line));
        }
    }
    lines
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limit = match self.limit {
            Limit::AtLeast(limit) => format!("≥ {limit:.2}"),
            Limit::AtMost(limit) => format!("≤ {limit:.2}"),
            Limit::None => String::new(),
        };
        let verdict = match self.limit {
            Limit::None => "for comparison",
            _ if self.is_within() => "within",
            _ => "EXCEEDED",
        };
        write!(
            f,
            "  {:<56}{:>12.2}{limit:>12}  {verdict}",
            self.what, self.measured
        )
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{comparison::Series, machine::Machine, slice::Lengths, slice::Slice};

    /// Our CPU time is 100 µs in each of four rounds.
    fn report(load: Load, others: &[(Contender, [f64; 4])]) -> Report {
        let ours = (Contender::Dispatcher, [100.0; 4]);
        let all: Vec<_> = [&[ours], others]
            .concat()
            .into_iter()
            .map(|(contender, cpu)| Series {
                load,
                contender,
                slices: cpu
                    .map(|cpu_us| Slice {
                        requests_per_second: 1e6 / cpu_us,
                        cpu_us,
                        p50_us: 1.0,
                        p99_us: 1.0,
                        peak_memory: 1,
                        waiting: 0.0,
                    })
                    .to_vec(),
            })
            .collect();
        Report {
            machine: Machine::default(),
            baseline: None,
            starts: 1,
            rounds: 4,
            lengths: Lengths {
                warm_up: Duration::ZERO,
                measured: Duration::ZERO,
            },
            waiting: 0.0,
            loads: LoadFigures::of(load, &all, 4).into_iter().collect(),
            fixed: Vec::new(),
            soaks: Vec::new(),
        }
    }

    fn exceeded(report: &Report) -> Vec<String> {
        let lines = lines(report);
        let exceeded = lines.into_iter().filter(|line| !line.is_within());
        exceeded.map(|line| line.what).collect()
    }

    const GET: Load = Load::Get { connections: 16 };

    #[test]
    fn five_per_cent_more_than_the_baseline_exceeds_the_budget() {
        let report = report(
            GET,
            &[
                (Contender::Baseline, [95.0; 4]),
                (Contender::Control, [100.0, 99.0, 101.0, 100.0]),
            ],
        );
        assert_eq!(
            exceeded(&report),
            ["get-16: requests/s ÷ baseline", "get-16: CPU ÷ baseline"]
        );
    }

    #[test]
    fn five_per_cent_are_allowed_when_two_copies_of_one_build_differ_by_more() {
        let report = report(
            GET,
            &[
                (Contender::Baseline, [95.0; 4]),
                (Contender::Control, [90.0, 92.0, 108.0, 110.0]),
            ],
        );
        assert_eq!(exceeded(&report), Vec::<String>::new());
    }

    #[test]
    fn the_noise_allows_nothing_for_errors() {
        let report = report(
            Load::UnknownHost,
            &[
                (Contender::Baseline, [98.0; 4]),
                (Contender::Control, [90.0, 92.0, 108.0, 110.0]),
                (Contender::SameFeatures, [50.0; 4]),
            ],
        );
        assert_eq!(exceeded(&report), ["unknown-host: CPU ÷ baseline"]);
    }

    #[test]
    fn there_is_no_relative_line_without_a_baseline() {
        let report = report(GET, &[(Contender::Control, [100.0; 4])]);
        assert!(lines(&report).is_empty());
    }
}
