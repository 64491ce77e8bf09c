//! Keeps the runtime running: starts wrangler, finds out whether the runtime hangs or has ended, and starts it again on the same state.

mod crons;
mod invocations;
mod monitor;
mod reports;

use std::{
    collections::VecDeque,
    net::SocketAddr,
    path::PathBuf,
    process::ExitStatus,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

use self::{
    crons::CronClock,
    invocations::{Invocation, Invocations, Suspects},
    monitor::{Answer, Health, Monitor},
};
use super::{Gate, Secrets, StateLock, Stop, Wrangler, wrangler::Output};

/// The path of the dispatch Worker's health document, on a host that no rule serves.
const HEALTH: &str = "/.well-known/dispatcher";
/// The header that marks the dispatch Worker's own errors.
const ERROR_HEADER: &str = "X-Dispatch-Error";
/// A path that the front Worker answers itself. wrangler does not log requests below `/cdn-cgi/`.
const ALIVE: &str = "/cdn-cgi/local-platform/alive";

/// How long the platform may take until it serves, once everything is built.
const START_UP: Duration = Duration::from_secs(90);
/// How long a start waits before it looks again.
const PAUSE: Duration = Duration::from_millis(50);

/// After this many ends of wrangler within [`END_PERIOD`], it is not started again.
const MAX_ENDS: usize = 3;
const END_PERIOD: Duration = Duration::from_mins(1);

/// A runtime that is started again when it hangs or ends. It ends when this value is dropped.
pub struct Supervisor<'a> {
    lock: &'a StateLock,
    stop: &'a Stop,
    gate: Gate,
    secret: String,
    reports: SocketAddr,
    output: Output,
    invocations: Invocations,
    configurations: Vec<PathBuf>,
    /// None if crons do not run by the clock.
    crons: Option<CronClock>,
    // None only while the runtime is restarted.
    running: Option<Running>,
    /// When wrangler ended without a request of this program.
    ends: VecDeque<Instant>,
}

struct Running {
    wrangler: Wrangler,
    monitor: Monitor,
}

/// Why a runtime did not start.
enum Failure {
    /// Code of a Worker did not return.
    Hung,
    /// wrangler ended.
    Ended(ExitStatus),
    /// The stop was requested.
    Stopped,
    Other(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

impl<'a> Supervisor<'a> {
    /// Prepares the supervision of a runtime that does not run yet. Connections wait at the gate until it serves.
    ///
    /// # Errors
    /// When the state folder cannot be written, or no port is free.
    pub fn new(lock: &'a StateLock, gate: Gate, secrets: &Secrets, stop: &'a Stop) -> Result<Self> {
        let invocations = Invocations::load(lock.state());
        Ok(Self {
            lock,
            stop,
            gate,
            secret: secrets.front_secret.clone(),
            reports: reports::receive(invocations.clone(), &secrets.supervisor_secret)?,
            output: Output::new(lock.state())?,
            invocations,
            configurations: Vec::new(),
            crons: None,
            running: None,
            ends: VecDeque::new(),
        })
    }

    /// The address for reports of invocations.
    pub const fn reports(&self) -> SocketAddr {
        self.reports
    }

    /// The output of wrangler and of the Workers.
    pub const fn output(&self) -> &Output {
        &self.output
    }

    /// Runs the crons of account Workers by the clock from now on, while [`Self::check`] is called.
    pub fn run_crons(&mut self) {
        self.crons = Some(CronClock::new(&self.secret));
    }

    /// Starts the runtime with wrangler's configurations, and waits until it serves.
    ///
    /// # Errors
    /// When wrangler ends or does not serve in time, with its last output, or when the stop is requested.
    pub fn start(&mut self, configurations: Vec<PathBuf>) -> Result<()> {
        self.configurations = configurations;
        loop {
            match self.try_start() {
                Ok(()) => return Ok(()),
                Err(Failure::Hung) => self.record_hang(),
                Err(Failure::Ended(status)) => bail!(
                    "wrangler ended ({status}) before it served; its last output:\n{}",
                    self.output.last()
                ),
                Err(Failure::Stopped) => bail!("stopped before the platform was ready"),
                Err(Failure::Other(error)) => return Err(error),
            }
        }
    }

    /// Looks after the runtime, and starts it again if it hangs or has ended. Waits until it serves then, or until the stop is
    /// requested. To be called several times a second.
    ///
    /// # Errors
    /// When wrangler ends repeatedly or does not start, with its last output.
    pub fn check(&mut self) -> Result<()> {
        let Some(running) = &mut self.running else {
            return Ok(());
        };
        if let Some(status) = running.wrangler.exited()? {
            self.count_end(status)?;
            self.say(&format!("wrangler ended ({status}): starting it again"));
            return self.restart("The runtime of the local platform ended and is started again.");
        }
        match running.monitor.poll() {
            Health::Hung => {
                self.record_hang();
                self.restart(
                    "The runtime of the local platform was restarted, because the code of a Worker did not return: the output of \
                     `npm run dev` names it.",
                )
            }
            Health::Unreachable => {
                self.say("the runtime does not answer: starting it again");
                self.restart("The runtime of the local platform did not answer and is started again.")
            }
            Health::Unknown | Health::Healthy => {
                if let (Some(crons), Some(port)) = (&mut self.crons, self.output.port()) {
                    crons.poll(port);
                }
                Ok(())
            }
        }
    }

    /// The id of wrangler's process group.
    pub fn group(&self) -> Option<i32> {
        self.lock.group().id()
    }

    fn restart(&mut self, reason: &str) -> Result<()> {
        let began = Instant::now();
        // Before the runtime ends, so that clients of its requests read the reason.
        self.gate.close(reason);
        self.running = None;
        self.invocations.clear();
        loop {
            match self.try_start() {
                Ok(()) => {
                    self.say(&format!(
                        "the platform serves again after {:.1} s",
                        began.elapsed().as_secs_f32()
                    ));
                    return Ok(());
                }
                Err(Failure::Hung) => self.record_hang(),
                Err(Failure::Ended(status)) => self.count_end(status)?,
                Err(Failure::Stopped) => return Ok(()),
                Err(Failure::Other(error)) => return Err(error),
            }
        }
    }

    fn try_start(&mut self) -> Result<(), Failure> {
        let began = Instant::now();
        let mut wrangler = Wrangler::spawn(self.lock, &self.configurations, &self.output)?;
        let group = wrangler.id();
        let mut starting = None;
        loop {
            if began.elapsed() > START_UP {
                return Err(Failure::Other(anyhow::anyhow!(
                    "the platform does not answer after {} s; wrangler's last output:\n{}",
                    START_UP.as_secs(),
                    self.output.last()
                )));
            }
            if let Some(status) = wrangler.exited()? {
                return Err(Failure::Ended(status));
            }
            if let Some(port) = self.output.port() {
                let monitor = starting.get_or_insert_with(|| {
                    Monitor::new(port, HEALTH, &self.secret, group, self.gate.progress(), is_served)
                });
                match monitor.poll() {
                    Health::Healthy => {
                        self.running = Some(Running {
                            wrangler,
                            monitor: Monitor::new(
                                port,
                                ALIVE,
                                &self.secret,
                                group,
                                self.gate.progress(),
                                |_| true,
                            ),
                        });
                        self.gate.open(port);
                        return Ok(());
                    }
                    Health::Hung => return Err(Failure::Hung),
                    Health::Unknown | Health::Unreachable => {}
                }
            }
            if self.stop.wait(PAUSE) {
                return Err(Failure::Stopped);
            }
        }
    }

    /// Counts an end of wrangler.
    fn count_end(&mut self, status: ExitStatus) -> Result<()> {
        let now = Instant::now();
        self.ends.retain(|end| now.duration_since(*end) < END_PERIOD);
        self.ends.push_back(now);
        if self.ends.len() >= MAX_ENDS {
            bail!(
                "wrangler ended {MAX_ENDS} times within a minute, the last time with {status}; its last output:\n{}",
                self.output.last()
            );
        }
        Ok(())
    }

    /// Counts a hang for the Workers that were running, and says which.
    fn record_hang(&self) {
        self.say("the runtime does not respond: the code of a Worker does not return. It is restarted.");
        match self.invocations.record_hang() {
            Ok(suspects) => self.say_suspects(&suspects),
            Err(error) => self.say(&format!("cannot store which Workers were running: {error:#}")),
        }
    }

    fn say_suspects(&self, suspects: &Suspects) {
        let Suspects {
            running,
            recent,
            blocked,
        } = suspects;
        match (running.as_slice(), recent.as_slice()) {
            ([], []) => self.say("  no Worker was running"),
            ([], recent) => {
                self.say("  no Worker was handling a request; these had answered one shortly before:");
                self.say_all(recent);
            }
            (running, _) => {
                self.say("  running at that time:");
                self.say_all(running);
            }
        }
        for Invocation {
            kind,
            namespace,
            script,
            ..
        } in blocked
        {
            self.say(&match kind {
                invocations::Kind::StartCheck => format!(
                    "  this upload of {namespace}/{script} is refused from now on: change the code outside of its handlers"
                ),
                _ => format!(
                    "  {namespace}/{script} was running at two hangs: it answers WORKER_LIMIT_EXCEEDED until its next deploy"
                ),
            });
        }
    }

    fn say_all(&self, invocations: &[Invocation]) {
        for invocation in invocations {
            self.say(&format!("    {invocation}"));
        }
    }

    fn say(&self, line: &str) {
        let line = format!("[dev] {line}");
        eprintln!("{line}");
        self.output.note(&line);
    }
}

/// Whether the dispatch Worker answers with its health document or with one of its own errors. With an invalid `ROUTES`,
/// for example, the platform starts and its pages show the error.
fn is_served(answer: &Answer) -> bool {
    answer.status().is_success() || answer.headers().contains_key(ERROR_HEADER)
}
