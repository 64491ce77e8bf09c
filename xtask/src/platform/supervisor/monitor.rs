use std::{
    collections::HashMap,
    sync::mpsc::{self, Receiver, TryRecvError},
    thread,
    time::{Duration, Instant},
};

use crate::platform::{
    guard::{Progress, SECRET_HEADER},
    processes::{self, Usage},
};

/// How often the runtime is asked for an answer.
const INTERVAL: Duration = Duration::from_millis(500);

/// From when on a missing answer is examined.
const LATE: Duration = Duration::from_millis(250);

/// How much CPU time a runtime uses, without an answer and without reading, writing or sending anything, until it counts as hung. On a
/// loaded machine, this takes longer than the same time on the clock.
const SILENT: Duration = Duration::from_secs(5);

/// The same while it reads, writes or sends. A Worker that works with its storage without a pause keeps the runtime from accepting
/// questions; a loop that logs does too. This is Cloudflare's default limit of the CPU time of a request.
const BUSY: Duration = Duration::from_secs(30);

/// How long an answer may take, whatever the runtime does meanwhile.
const TIMEOUT: Duration = Duration::from_mins(10);

/// How long the port may accept no connections.
const UNREACHABLE: Duration = Duration::from_secs(10);

/// Asks a runtime repeatedly for an answer.
pub struct Monitor {
    address: String,
    secret: String,
    is_ok: fn(&Answer) -> bool,
    group: i32,
    progress: Progress,
    question: Option<Question>,
    last: Option<Instant>,
    /// When the port last accepted a connection.
    reached: Instant,
}

/// The head of an answer.
pub type Answer = ureq::http::Response<ureq::Body>;

/// A question that is not answered yet.
struct Question {
    asked: Instant,
    answer: Receiver<Option<bool>>,
    /// What the runtime has done since the answer is late.
    late: Option<Lateness>,
}

/// What the processes of the runtime use while an answer is late.
#[derive(Default)]
struct Lateness {
    /// What each process had used when it was first seen.
    first: HashMap<i32, Usage>,
    /// The same when something was last read, written or sent.
    silent: HashMap<i32, Usage>,
    /// What the runtime had sent at that time.
    sent: u64,
}

impl Lateness {
    /// Whether the runtime is hung. `now` is what its processes have used, and `sent` counts what it has sent.
    fn is_hung(&mut self, now: &HashMap<i32, Usage>, sent: u64) -> bool {
        let has_sent = self.sent != sent;
        self.sent = sent;
        now.iter().any(|(process, usage)| {
            let first = *self.first.entry(*process).or_insert(*usage);
            let silent = self.silent.entry(*process).or_insert(*usage);
            if has_sent || silent.calls != usage.calls {
                *silent = *usage;
            }
            let since = |before: Usage| usage.cpu.saturating_sub(before.cpu);
            since(*silent) >= SILENT || since(first) >= BUSY
        })
    }
}

/// The result of the last question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It is not answered yet, or with another answer than a healthy runtime's.
    Unknown,
    Healthy,
    /// The runtime works and does not answer: code of a Worker does not return.
    Hung,
    /// The port accepts no connections.
    Unreachable,
}

impl Monitor {
    /// Asks a path of the runtime's port. `is_ok` recognizes the answer of a healthy runtime, whose processes are in the group. `progress`
    /// counts what it sends.
    pub fn new(
        port: u16,
        path: &str,
        secret: &str,
        group: i32,
        progress: Progress,
        is_ok: fn(&Answer) -> bool,
    ) -> Self {
        Self {
            address: format!("http://127.0.0.1:{port}{path}"),
            secret: secret.to_owned(),
            is_ok,
            group,
            progress,
            question: None,
            last: None,
            reached: Instant::now(),
        }
    }

    /// Asks if it is time to, and returns what is known. Does not wait.
    pub fn poll(&mut self) -> Health {
        let Some(question) = &mut self.question else {
            if self.last.is_none_or(|last| last.elapsed() >= INTERVAL) {
                self.ask();
            }
            return Health::Unknown;
        };
        match question.answer.try_recv() {
            Ok(Some(is_healthy)) => {
                self.question = None;
                self.reached = Instant::now();
                return if is_healthy {
                    Health::Healthy
                } else {
                    Health::Unknown
                };
            }
            Ok(None) | Err(TryRecvError::Disconnected) => {
                self.question = None;
                return if self.reached.elapsed() > UNREACHABLE {
                    Health::Unreachable
                } else {
                    Health::Unknown
                };
            }
            Err(TryRecvError::Empty) => {}
        }
        if question.asked.elapsed() < LATE {
            return Health::Unknown;
        }
        let now = processes::runtime_usage(self.group);
        let late = question.late.get_or_insert_default();
        if late.is_hung(&now, self.progress.count()) {
            return Health::Hung;
        }
        Health::Unknown
    }

    fn ask(&mut self) {
        let (sender, answer) = mpsc::channel();
        let (address, secret, is_ok) = (self.address.clone(), self.secret.clone(), self.is_ok);
        self.last = Some(Instant::now());
        let asking = thread::Builder::new().spawn(move || {
            let answer = ureq::get(&address)
                .header(SECRET_HEADER, secret)
                .config()
                .http_status_as_error(false)
                .timeout_global(Some(TIMEOUT))
                .build()
                .call();
            let _ = sender.send(answer.ok().map(|answer| is_ok(&answer)));
        });
        if asking.is_ok() {
            self.question = Some(Question {
                asked: Instant::now(),
                answer,
                late: None,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a runtime is hung after each second of CPU time, in which it does what `step` returns: its calls, and what it has sent.
    fn hung_after(step: impl Fn(u64) -> (u64, u64)) -> Option<u64> {
        let mut late = Lateness::default();
        (0..60).find(|second| {
            let (calls, sent) = step(*second);
            let cpu = Duration::from_secs(100 + second);
            let idle = Usage {
                cpu: Duration::from_secs(7),
                calls: 7,
            };
            late.is_hung(&HashMap::from([(1, Usage { cpu, calls }), (2, idle)]), sent)
        })
    }

    #[test]
    fn a_runtime_that_only_uses_cpu_time_is_hung() {
        assert_eq!(hung_after(|_| (3, 9)), Some(SILENT.as_secs()));
        // From its last sign on.
        assert_eq!(
            hung_after(|second| (3 + second.min(2), 9)),
            Some(2 + SILENT.as_secs())
        );
    }

    #[test]
    fn a_runtime_that_reads_writes_or_sends_has_more_time() {
        assert_eq!(hung_after(|second| (second, 9)), Some(BUSY.as_secs()));
        assert_eq!(hung_after(|second| (3, second)), Some(BUSY.as_secs()));
    }
}
