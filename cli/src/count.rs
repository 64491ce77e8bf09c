//! Numbers of things in sentences.

/// The number with the noun: "1 entry", "2 entries".
#[must_use]
pub fn counted(count: impl TryInto<u64>, one: &str, many: &str) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    format!("{count} {}", agreeing(count, one, many))
}

/// The word that agrees with a number, such as a verb: "is" for 1, and "are" for all others.
#[must_use]
pub fn agreeing<'w>(count: impl TryInto<u64>, one: &'w str, many: &'w str) -> &'w str {
    if count.try_into().ok() == Some(1) {
        one
    } else {
        many
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_noun_and_a_verb_agree_with_the_number() {
        let shown = |count: usize| {
            format!(
                "{} {} missing",
                counted(count, "entry", "entries"),
                agreeing(count, "is", "are")
            )
        };
        assert_eq!(shown(0), "0 entries are missing");
        assert_eq!(shown(1), "1 entry is missing");
        assert_eq!(shown(2), "2 entries are missing");
    }
}
