//! Tells the platform's errors by their messages.
//!
//! Errors of the platform have messages but no codes, and the error of a user Worker arrives in the same way. All knowledge
//! about these messages is in [`classify`], so that it can be corrected in one place.

/// The kind of a platform error. A user Worker can throw the same message; see `docs/errors.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlatformError {
    /// The namespace has no Worker of that name.
    WorkerNotFound,
    /// The Worker exceeded its CPU time or its subrequests.
    LimitExceeded,
    /// The runtime itself failed.
    Internal,
    /// `wrangler dev` has no connection to the namespace, because its binding is not remote.
    NotRemote,
}

/// The sentences that platform messages begin with, in lower case.
///
/// - `Worker not found.`: an unknown script. `fetch` rejects with it, although the documentation says that `get` throws (<https://github.com/cloudflare/workerd/issues/5263>).
/// - `Worker exceeded CPU time limit.`: the documentation of custom limits tells readers to look for `CPU time limit`
///   (<https://developers.cloudflare.com/cloudflare-for-platforms/workers-for-platforms/configuration/custom-limits/>).
/// - `Too many subrequests by single Worker invocation.`: thrown by `fetch` inside the user Worker; arrives here if
///   the Worker does not catch it.
/// - `internal error; reference = …`: workerd replaces the text of its own failures with this one.
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

/// What the binding of a namespace rejects with under `wrangler dev`: `Binding DISPATCHER_STAGING needs to be run remotely`
/// (miniflare's `dispatch-namespace-proxy.worker.ts`).
const NOT_REMOTE: (&str, &str) = ("Binding ", " needs to be run remotely");

/// Classifies an error message, in any case, with or without a leading `Error: `. The message must begin with a complete
/// sentence of the platform. A message that only contains one, or that continues after its words, is from the user Worker.
#[must_use]
pub fn classify(message: &str) -> Option<PlatformError> {
    let message = message.trim_ascii_start();
    let message = strip_prefix_ignoring_case(message, "error:").map_or(message, str::trim_ascii_start);
    let (start, end) = NOT_REMOTE;
    if message.starts_with(start) && message.ends_with(end) {
        return Some(PlatformError::NotRemote);
    }
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
    fn recognises_the_messages_of_the_platform() {
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
                "Binding DISPATCHER_STAGING needs to be run remotely",
                PlatformError::NotRemote,
            ),
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
    fn a_message_that_only_contains_the_words_is_from_the_worker() {
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
