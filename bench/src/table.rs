//! The report as text, for a terminal of 100 columns.

use std::fmt;

use crate::{
    report::{ContenderFigures, FixedFigures, LoadFigures, Report},
    statistics::Spread,
    targets::Target,
};

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = &self.machine;
        writeln!(
            f,
            "{} on {} cores of {}",
            machine.workerd, machine.cores, machine.processor
        )?;
        writeln!(
            f,
            "Medians of {} rounds. A ratio is the dispatch Worker's figure divided by that line's, round by round,\n\
             with its quartiles: for requests/s more than 1 is better, for CPU less than 1. MB are the peak.",
            self.rounds
        )?;
        for load in &self.loads {
            write!(f, "\n{load}")?;
        }
        writeln!(f)?;
        write_fixed(f, &self.fixed)?;
        if !self.soaks.is_empty() {
            writeln!(f)?;
        }
        for soak in &self.soaks {
            writeln!(f, "{soak}")?;
        }
        writeln!(f, "\n{:<66}{:>12}{:>12}", "targets", "measured", "target")?;
        for target in Target::all(self) {
            writeln!(f, "{target}")?;
        }
        writeln!(
            f,
            "\nworkerd waited for a core {:.0} % of the time (a calm machine: about 0 %).",
            self.waiting * 100.0
        )
    }
}

impl fmt::Display for LoadFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<29}{:>8}{:>18}{:>9}{:>18}{:>8}{:>8}{:>5}",
            self.title, "req/s", "ratio", "CPU µs", "ratio", "p50 ms", "p99 ms", "MB"
        )?;
        self.contenders
            .iter()
            .try_for_each(|figures| writeln!(f, "{figures}"))
    }
}

impl fmt::Display for ContenderFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ratios = self.dispatcher_to_this.as_ref();
        write!(
            f,
            "  {:<27}{:>8}{:>18}{:>9}{:>18}{:>8}{:>8}{:>5.0}",
            self.contender.title(),
            figure(self.requests_per_second.median),
            ratios.map_or_else(|| "·".to_owned(), |ratios| ratio(&ratios.requests_per_second)),
            figure(self.cpu_us.median),
            ratios.map_or_else(|| "·".to_owned(), |ratios| ratio(&ratios.cpu)),
            figure(self.p50_us.median / 1e3),
            figure(self.p99_us.median / 1e3),
            megabytes(self.peak_memory),
        )
    }
}

fn write_fixed(f: &mut fmt::Formatter<'_>, fixed: &[FixedFigures]) -> fmt::Result {
    writeln!(
        f,
        "{:<29}{:>12}{:>14}{:>18}{:>16}",
        "at rest", "gzip KB", "start-up ms", "MB at the start", "MB at the end"
    )?;
    for figures in fixed {
        let start = figures
            .start_ms
            .map_or_else(|| "·".to_owned(), |start| figure(start.median));
        #[expect(clippy::cast_precision_loss, reason = "a few kilobytes")]
        let size = figures.size_on_the_wire as f64 / 1e3;
        writeln!(
            f,
            "  {:<27}{size:>12.1}{start:>14}{:>18.1}{:>16.1}",
            figures.contender.title(),
            megabytes(figures.memory_at_start),
            megabytes(figures.memory_at_end),
        )?;
    }
    Ok(())
}

/// Three significant digits or more.
fn figure(value: f64) -> String {
    match value {
        _ if value >= 1000.0 => {
            #[expect(clippy::cast_possible_truncation, reason = "it is rounded for people")]
            let whole = value.round() as i64;
            format!("{},{:03}", whole / 1000, whole % 1000)
        }
        _ if value >= 100.0 => format!("{value:.0}"),
        _ if value >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn ratio(spread: &Spread) -> String {
    format!(
        "{:.2} ({:.2}–{:.2})",
        spread.median, spread.lower_quartile, spread.upper_quartile
    )
}

#[expect(clippy::cast_precision_loss, reason = "it is rounded for people")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_keep_three_digits() {
        assert_eq!(
            [1234.4, 999.6, 45.67, 0.456].map(figure),
            ["1,234", "1000", "45.7", "0.46"]
        );
    }
}
