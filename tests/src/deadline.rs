//! Deadlines, so that a test that hangs fails and the other tests continue.
//!
//! They are generous: a start of a platform takes seconds, and minutes on a busy machine. On a slower one, set
//! `END_TO_END_TEST_SECONDS`, `END_TO_END_COMMAND_SECONDS`, `END_TO_END_BUILD_SECONDS` or
//! `END_TO_END_PLATFORM_SECONDS`.

use std::{
    env, panic,
    process::{Child, ExitStatus},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

use crate::restarts;

/// The deadline of a test, which includes waiting for the starts of other tests' platforms.
#[must_use]
pub fn test() -> Duration {
    limit("END_TO_END_TEST_SECONDS", Duration::from_mins(10))
}

/// The deadline of a command that a test runs, such as wrangler.
#[must_use]
pub fn command() -> Duration {
    limit("END_TO_END_COMMAND_SECONDS", Duration::from_mins(4))
}

/// The deadline of a build. `npm test` builds everything first; a test that runs alone may have to compile.
#[must_use]
pub fn build() -> Duration {
    limit("END_TO_END_BUILD_SECONDS", Duration::from_mins(9))
}

/// The deadline of a platform's start, and of its end. `npm run dev` itself gives up 90 s after the builds.
#[must_use]
pub fn platform() -> Duration {
    limit("END_TO_END_PLATFORM_SECONDS", Duration::from_mins(4))
}

fn limit(variable: &str, default: Duration) -> Duration {
    let seconds = env::var(variable).ok().and_then(|text| text.parse().ok());
    seconds.map_or(default, Duration::from_secs)
}

/// What the body of a test returns.
pub trait Outcome {
    /// Whether the test passes.
    fn is_success(&self) -> bool;
}

impl Outcome for () {
    fn is_success(&self) -> bool {
        true
    }
}

impl Outcome for Result<()> {
    fn is_success(&self) -> bool {
        self.is_ok()
    }
}

/// Runs the body of a test on a separate thread with a runtime of two workers, with the deadline [`test()`].
///
/// A test that fails prints the restarts of the platforms, which can be the cause.
///
/// The thread of a body that hangs, in an await or in a blocking call, runs until the program ends. So do the platforms
/// that it started: their standard input ends with the program.
///
/// # Panics
/// When the body panics, or does not end within the limit.
#[expect(clippy::panic, reason = "a test fails by a panic")]
pub fn run<F: Future>(name: &str, body: impl FnOnce() -> F + Send + 'static) -> F::Output
where
    F::Output: Outcome + Send + 'static,
{
    let limit = test();
    let (sender, receiver) = mpsc::channel();
    // A panic's message names the thread.
    let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let output = runtime.block_on(body());
        // This waits for blocking tasks, so it belongs within the limit.
        drop(runtime);
        let _ = sender.send(output);
    });
    let thread = thread.expect("a thread");
    let ended = receiver.recv_timeout(limit);
    if !ended.as_ref().is_ok_and(Outcome::is_success) {
        restarts::print();
    }
    match ended {
        Ok(output) => output,
        Err(RecvTimeoutError::Timeout) => {
            panic!("the test {name} did not end within {} s", limit.as_secs())
        }
        Err(RecvTimeoutError::Disconnected) => match thread.join() {
            Err(payload) => panic::resume_unwind(payload),
            Ok(()) => unreachable!("the thread ended without an output and without a panic"),
        },
    }
}

/// Waits for the end of a child process.
///
/// # Errors
/// When it does not end within the limit, or its status cannot be read. The process keeps running.
pub fn wait(child: &mut Child, what: &str, limit: Duration) -> Result<ExitStatus> {
    let begin = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if begin.elapsed() >= limit {
            bail!("{what} did not end within {} s", limit.as_secs());
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// The deadline of a condition.
const CONDITION: Duration = Duration::from_mins(2);
/// The time between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// Repeats an attempt until it returns a value. `what` names the condition in the error.
///
/// # Errors
/// When an attempt fails, or none has returned a value for two minutes.
pub async fn until<T>(what: &str, mut attempt: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let begin = Instant::now();
    while begin.elapsed() < CONDITION {
        if let Some(found) = attempt().await? {
            return Ok(found);
        }
        tokio::time::sleep(PAUSE).await;
    }
    bail!("{what}: no result within {} s", CONDITION.as_secs())
}
