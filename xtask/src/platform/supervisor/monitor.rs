use std::{
    collections::{HashMap, HashSet},
    sync::mpsc::{self, Receiver, TryRecvError},
    thread,
    time::{Duration, Instant},
};

use crate::platform::{
    guard::{Progress, SECRET_HEADER},
    processes,
};

/// How often the runtime is asked for an answer.
const INTERVAL: Duration = Duration::from_millis(500);

/// From when on a missing answer is examined.
const LATE: Duration = Duration::from_millis(250);

/// How much CPU time a runtime uses, without an answer and without sending anything to anyone, until it counts as hung. On a loaded
/// machine, this takes longer than the same time on the clock.
const HANG: Duration = Duration::from_millis(3500);

/// How long an answer may take, whatever the runtime does meanwhile.
const TIMEOUT: Duration = Duration::from_mins(10);

/// How long the port may accept no connections.
const UNREACHABLE: Duration = Duration::from_secs(10);

/// How long an answer may take if a process of the runtime has ended. wrangler starts another one, but a question of that moment can
/// stay unanswered.
const ENDED: Duration = Duration::from_secs(20);

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
    /// The processes of the runtime when it last was healthy.
    processes: HashSet<i32>,
}

/// The head of an answer.
pub type Answer = ureq::http::Response<ureq::Body>;

/// A question that is not answered yet.
struct Question {
    asked: Instant,
    answer: Receiver<Option<bool>>,
    /// The CPU time of each process of the runtime when the answer was late.
    cpu_time: Option<HashMap<i32, Duration>>,
    /// What the runtime had sent at that time.
    sent: u64,
}

/// The result of the last question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It is not answered yet, or with another answer than a healthy runtime's.
    Unknown,
    Healthy,
    /// The runtime works and does not answer: code of a Worker does not return.
    Hung,
    /// The port accepts no connections, or a process of the runtime has ended and nothing answers.
    Unreachable,
}

impl Monitor {
    /// Asks a path of wrangler's port. `is_ok` recognizes the answer of a healthy runtime, whose processes are in the group. `progress`
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
            processes: HashSet::new(),
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
                // Only a late answer can come from new processes.
                if self.processes.is_empty() || question.cpu_time.is_some() {
                    self.processes = processes::runtime_cpu_times(self.group).into_keys().collect();
                }
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
        let now = processes::runtime_cpu_times(self.group);
        let sent = self.progress.count();
        let Some(before) = question.cpu_time.as_ref().filter(|_| question.sent == sent) else {
            question.cpu_time = Some(now);
            question.sent = sent;
            return Health::Unknown;
        };
        let is_hung = now.iter().any(|(process, time)| {
            before
                .get(process)
                .is_some_and(|before| time.saturating_sub(*before) >= HANG)
        });
        if is_hung {
            return Health::Hung;
        }
        let has_ended = self.processes.iter().any(|process| !now.contains_key(process));
        if has_ended && question.asked.elapsed() >= ENDED {
            return Health::Unreachable;
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
                cpu_time: None,
                sent: 0,
            });
        }
    }
}
