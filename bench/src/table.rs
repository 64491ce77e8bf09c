//! The report as text, for a terminal of 100 columns.

use std::fmt;

use crate::{
    budget,
    contender::Contender,
    report::{ContenderFigures, FixedFigures, LoadFigures, Report},
    statistics::Spread,
};

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = &self.machine;
        writeln!(
            f,
            "{} on {} cores of {}; commit {}",
            machine.workerd,
            machine.cores,
            machine.processor,
            machine.commit.as_deref().unwrap_or("unknown")
        )?;
        if let Some(commit) = &self.baseline {
            writeln!(f, "The baseline is the build of commit {commit}.")?;
        }
        writeln!(
            f,
            "Medians of {} rounds in {} starts. A ratio is the dispatch Worker's figure divided by that line's,\n\
             round by round, with its quartiles: for requests/s more than 1 is better, for CPU less than 1. MB is\n\
             the peak memory. Two copies of one build differ by the noise; a smaller difference means nothing.",
            self.rounds, self.starts
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
        self.write_budget(f)?;
        writeln!(
            f,
            "\nworkerd waited for a core {:.0} % of the time (a calm machine: about 0 %).",
            self.waiting * 100.0
        )
    }
}

impl Report {
    fn write_budget(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{:<58}{:>12}{:>12}", "budget", "measured", "limit")?;
        for line in budget::lines(self) {
            writeln!(f, "{line}")?;
        }
        if self.baseline.is_none() {
            writeln!(
                f,
                "  The other limits are relative to an earlier build: add `--baseline <commit>`."
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for LoadFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<31}{:>8}{:>17}{:>8}{:>17}{:>8}{:>8}{:>5}",
            self.title, "req/s", "ratio", "CPU µs", "ratio", "p50 ms", "p99 ms", "MB"
        )?;
        for figures in &self.contenders {
            writeln!(f, "{figures}")?;
        }
        if let Some(control) = self.ratios(Contender::Control) {
            let percent = |ratios: Spread| ratios.noise() * 100.0;
            writeln!(
                f,
                "  noise (A/A): requests/s ±{:.1} %, CPU ±{:.1} %, memory ±{:.1} %",
                percent(control.requests_per_second),
                percent(control.cpu),
                percent(control.peak_memory)
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for ContenderFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ratios = self.dispatcher_to_this.as_ref();
        write!(
            f,
            "  {:<29}{:>8}{:>17}{:>8}{:>17}{:>8}{:>8}{:>5.0}",
            self.contender.title(),
            figure(self.requests_per_second.median),
            ratios.map_or_else(|| "·".to_owned(), |ratios| quartiles(&ratios.requests_per_second)),
            figure(self.cpu_us.median),
            ratios.map_or_else(|| "·".to_owned(), |ratios| quartiles(&ratios.cpu)),
            figure(self.p50_us.median / 1e3),
            figure(self.p99_us.median / 1e3),
            self.peak_memory.median / 1e6,
        )
    }
}

fn write_fixed(f: &mut fmt::Formatter<'_>, fixed: &[FixedFigures]) -> fmt::Result {
    writeln!(
        f,
        "{:<29}{:>12}{:>24}{:>17}{:>15}",
        "at rest", "gzip kB", "start-up ms", "MB at the start", "MB at the end"
    )?;
    for figures in fixed {
        let start = figures
            .start_ms
            .as_ref()
            .map_or_else(|| "·".to_owned(), quartiles);
        #[expect(clippy::cast_precision_loss, reason = "a few kilobytes")]
        let size = figures.gzip_size as f64 / 1e3;
        writeln!(
            f,
            "  {:<27}{size:>12.1}{start:>24}{:>17}{:>15}",
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

/// The median and the quartiles.
fn quartiles(spread: &Spread) -> String {
    format!(
        "{:.2} ({:.2}–{:.2})",
        spread.median, spread.lower_quartile, spread.upper_quartile
    )
}

fn megabytes(bytes: Option<u64>) -> String {
    #[expect(clippy::cast_precision_loss, reason = "it is rounded for people")]
    bytes.map_or_else(|| "·".to_owned(), |bytes| format!("{:.1}", bytes as f64 / 1e6))
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
