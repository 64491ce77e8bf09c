//! What the platform means by the texts of its errors.
//!
//! Errors of the platform carry no codes, only messages, and a user Worker's own error arrives the same way. Everything
//! that is known about those messages stands in [`classify`], so that it can be corrected in one place.

/// What an error's message says, if the platform wrote it. A user Worker can write the same; see `docs/errors.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlatformError {
    /// The namespace has no Worker of that name.
    WorkerNotFound,
    /// The Worker used up its CPU time or its subrequests.
    LimitExceeded,
    /// The runtime itself failed.
    Internal,
}

/// Sentences that a message begins with, in lower case.
///
/// - `Worker not found.`: an unknown script; `fetch` rejects with it, though `get`'s documentation says that `get`
///   throws (<https://github.com/cloudflare/workerd/issues/5263>).
/// - `Worker exceeded CPU time limit.`: the documentation of custom limits has the reader look for `CPU time limit`
///   (<https://developers.cloudflare.com/cloudflare-for-platforms/workers-for-platforms/configuration/custom-limits/>).
/// - `Too many subrequests by single Worker invocation.`: thrown by the Worker's own `fetch`, here if it is not caught.
/// - `internal error; reference = …`: workerd hides the text of its own failures behind this one.
const SENTENCES: [(&str, PlatformError); 7] = [
    ("worker not found", PlatformError::WorkerNotFound),
    ("worker exceeded cpu time limit", PlatformError::LimitExceeded),
    ("exceeded cpu time limit", PlatformError::LimitExceeded),
    ("cpu time limit", PlatformError::LimitExceeded),
    ("too many subrequests", PlatformError::LimitExceeded),
    (
        "too many subrequests by single worker invocation",
        PlatformError::LimitExceeded,
    ),
    ("internal error", PlatformError::Internal),
];

/// Reads an error's message: any case, with or without `Error: ` in front. A sentence must stand there whole and first;
/// a message that merely contains one, or begins with its words and goes on, is the user Worker's own.
#[must_use]
pub fn classify(message: &str) -> Option<PlatformError> {
    let message = message.trim_ascii_start();
    let message = strip_prefix_ignoring_case(message, "error:").map_or(message, str::trim_ascii_start);
    SENTENCES.into_iter().find_map(|(sentence, error)| {
        let rest = strip_prefix_ignoring_case(message, sentence)?.trim_ascii_end();
        matches!(rest.bytes().next(), None | Some(b'.' | b';')).then_some(error)
    })
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_platforms_own_messages() {
        for (message, expected) in [
            ("Worker not found.", PlatformError::WorkerNotFound),
            ("Worker not found", PlatformError::WorkerNotFound),
            ("Error: Worker not found.", PlatformError::WorkerNotFound),
            ("error: WORKER NOT FOUND. ", PlatformError::WorkerNotFound),
            ("Worker exceeded CPU time limit.", PlatformError::LimitExceeded),
            ("CPU time limit", PlatformError::LimitExceeded),
            ("Error: Exceeded CPU time limit.", PlatformError::LimitExceeded),
            ("Too many subrequests.", PlatformError::LimitExceeded),
            (
                "Too many subrequests by single Worker invocation. To configure this limit, refer to the documentation",
                PlatformError::LimitExceeded,
            ),
            ("internal error", PlatformError::Internal),
            (
                "internal error; reference = 6h35i9khglmghckesvgvi5kt",
                PlatformError::Internal,
            ),
        ] {
            assert_eq!(classify(message), Some(expected), "{message}");
        }
    }

    // Pitfall 7: "Worker not found" was looked for as a substring of any exception.
    #[test]
    fn messages_that_only_contain_the_words_are_the_workers_own() {
        for message in [
            "",
            "Error",
            "Error: ",
            "no such row: Worker not found.",
            "Worker not found in the table of staff",
            "Worker not founded",
            "my CPU time limit is near",
            "TypeError: Too many subrequests",
            "Too many subrequests by me",
            "internal error in the shop",
            "Error: Error: Worker not found.",
            "Wörker not found.",
            "🦀",
        ] {
            assert_eq!(classify(message), None, "{message}");
        }
    }
}
