//! What the dispatch Worker is to reach, beside what it reached.

use std::fmt;

use crate::{contender::Contender, load::Load, report::Report};

pub struct Target {
    what: String,
    measured: f64,
    bound: Bound,
}

enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Target {
    /// Every target that the report has the figures for.
    pub fn all(report: &Report) -> Vec<Self> {
        let mut targets = Vec::new();
        for connections in [1, 16, 256] {
            for (peer, factor) in [
                (Contender::TwoLookUps, 1.0),
                (Contender::Hono, 1.0),
                (Contender::SameFeatures, 1.15),
                (Contender::WorkersRs, 1.4),
            ] {
                targets.extend(small_get(report, Load::Get { connections }, peer, factor));
            }
        }
        for load in [Load::Post { bytes: 1 << 20 }, Load::Echo] {
            let ratios = ratios(report, load, Contender::TwoLookUps);
            targets.extend(ratios.map(|ratios| Self {
                what: format!(
                    "{}: requests/s against {}",
                    load.name(),
                    Contender::TwoLookUps.title()
                ),
                measured: ratios.requests_per_second.median,
                bound: Bound::AtLeast(0.97),
            }));
        }
        targets.extend(memory(report));
        targets.extend(fixed(report));
        targets
    }

    fn is_reached(&self) -> bool {
        match self.bound {
            Bound::AtLeast(bound) => self.measured >= bound,
            Bound::AtMost(bound) => self.measured <= bound,
        }
    }
}

fn ratios(report: &Report, load: Load, peer: Contender) -> Option<&crate::report::Ratios> {
    let figures = report.loads.iter().find(|figures| figures.load == load.name())?;
    figures.of_contender(peer)?.dispatcher_to_this.as_ref()
}

fn small_get(report: &Report, load: Load, peer: Contender, factor: f64) -> Vec<Target> {
    let Some(ratios) = ratios(report, load, peer) else {
        return Vec::new();
    };
    let target = |what, measured, bound| Target {
        what: format!("{}: {what} against {}", load.name(), peer.title()),
        measured,
        bound,
    };
    vec![
        target(
            "requests/s",
            ratios.requests_per_second.median,
            Bound::AtLeast(factor),
        ),
        target("CPU", ratios.cpu.median, Bound::AtMost(1.0 / factor)),
        target("p99", ratios.p99.median, Bound::AtMost(1.0)),
    ]
}

/// The process's memory under the widest load, and what a soak changes.
fn memory(report: &Report) -> Vec<Target> {
    let mut targets = Vec::new();
    let load = Load::Get { connections: 256 };
    let peak = |contender| {
        let figures = report.loads.iter().find(|figures| figures.load == load.name())?;
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 bytes")]
        Some(figures.of_contender(contender)?.peak_memory as f64)
    };
    if let (Some(ours), Some(theirs)) = (peak(Contender::Dispatcher), peak(Contender::TwoLookUps)) {
        targets.push(Target {
            what: format!(
                "{}: memory against {}",
                load.name(),
                Contender::TwoLookUps.title()
            ),
            measured: ours / theirs,
            bound: Bound::AtMost(2.0),
        });
    }
    for soak in &report.soaks {
        if let (Some(early), Some(late)) = (soak.blocks.get(1), soak.blocks.last()) {
            targets.push(Target {
                what: format!(
                    "soak: CPU at the end against the start, {}",
                    soak.contender.title()
                ),
                measured: late.cpu_us / early.cpu_us,
                bound: Bound::AtMost(1.1),
            });
        }
    }
    targets
}

fn fixed(report: &Report) -> Vec<Target> {
    let of = |contender| report.fixed.iter().find(|figures| figures.contender == contender);
    let mut targets = Vec::new();
    if let Some(ours) = of(Contender::Dispatcher) {
        #[expect(clippy::cast_precision_loss, reason = "a few kilobytes")]
        let size = ours.size_on_the_wire as f64 / 1e3;
        targets.push(Target {
            what: "Wasm and JavaScript, gzip, KB".to_owned(),
            measured: size,
            bound: Bound::AtMost(45.0),
        });
        targets.extend(ours.start_ms.map(|start| Target {
            what: "start-up, ms".to_owned(),
            measured: start.median,
            bound: Bound::AtMost(10.0),
        }));
    }
    targets
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, bound) = match self.bound {
            Bound::AtLeast(bound) => ('≥', bound),
            Bound::AtMost(bound) => ('≤', bound),
        };
        let verdict = if self.is_reached() { "reached" } else { "MISSED" };
        write!(
            f,
            "  {:<64}{:>12.2}{:>12}  {verdict}",
            self.what,
            self.measured,
            format!("{sign} {bound:.2}")
        )
    }
}
