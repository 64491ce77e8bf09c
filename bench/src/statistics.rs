//! Medians and spreads.

use serde::Serialize;

/// The median of a set of measurements, its quartiles and its extremes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    pub median: f64,
    pub lower_quartile: f64,
    pub upper_quartile: f64,
    pub minimum: f64,
    pub maximum: f64,
}

impl Spread {
    /// The spread of the measurements; `None` without any.
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

    /// How far the quartiles of a ratio are from 1, the farther one. For two copies of one build this is the noise.
    pub fn noise(&self) -> f64 {
        (self.lower_quartile - 1.0)
            .abs()
            .max((self.upper_quartile - 1.0).abs())
    }
}

/// Interpolates between the two neighbours when the quantile is between them.
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
    fn noise_is_the_distance_of_the_farther_quartile_from_one() {
        let noise = Spread::of([0.5, 0.75, 1.0, 1.125, 2.0]).unwrap().noise();
        assert_eq!(noise, 0.25);
    }

    #[test]
    fn an_empty_set_has_no_spread() {
        assert_eq!(Spread::of([]), None);
    }
}
