//! Medians and spreads.

use serde::Serialize;

/// The middle of a set of measurements, and the half of them around it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    pub median: f64,
    pub lower_quartile: f64,
    pub upper_quartile: f64,
    pub minimum: f64,
    pub maximum: f64,
}

impl Spread {
    /// Of at least one measurement.
    pub fn of(measurements: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<_> = measurements.into_iter().collect();
        sorted.sort_unstable_by(f64::total_cmp);
        Some(Self {
            median: quantile(&sorted, 0.5)?,
            lower_quartile: quantile(&sorted, 0.25)?,
            upper_quartile: quantile(&sorted, 0.75)?,
            minimum: *sorted.first()?,
            maximum: *sorted.last()?,
        })
    }
}

/// Between the two neighbours where the quantile falls between them.
fn quantile(sorted: &[f64], part: f64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "as many measurements as rounds")]
    let position = part * (sorted.len().checked_sub(1)? as f64);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index of the slice"
    )]
    let (below, above) = (
        sorted.get(position.floor() as usize)?,
        sorted.get(position.ceil() as usize)?,
    );
    Some(below + (above - below) * position.fract())
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the results are exact")]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        let spread = Spread::of([4.0, 1.0, 3.0, 2.0]).unwrap();
        assert_eq!(
            [spread.median, spread.lower_quartile, spread.upper_quartile],
            [2.5, 1.75, 3.25]
        );
        assert_eq!([spread.minimum, spread.maximum], [1.0, 4.0]);
    }

    #[test]
    fn nothing_has_no_median() {
        assert_eq!(Spread::of([]), None);
    }
}
