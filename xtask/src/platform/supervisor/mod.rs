//! Keeps the runtime running: starts wrangler, finds out whether the runtime hangs or has ended, and has it started again on the same
//! state.
//!
//! wrangler starts the program `xtask/src/runtime.rs`, which starts the runtime and reports its port. When only the runtime ends, that
//! program starts it again; when wrangler ends, everything is started again. The gate is open from the moment at which a start of the
//! runtime has answered the health check until its end.

mod crons;
mod invocations;
mod monitor;
mod reports;
mod runtime;

use std::{
    collections::VecDeque,
    path::PathBuf,
    process::ExitStatus,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

use self::{
    crons::CronClock,
    invocations::{Invocation, Invocations, Suspects},
    monitor::{Answer, Health, Monitor},
    runtime::RuntimeProcess,
};
use super::{Gate, RuntimeReports, Secrets, StateLock, Stop, Wrangler, wrangler::Output};

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

/// After this many ends of wrangler or the runtime within [`END_PERIOD`], they are not started again.
const MAX_ENDS: usize = 3;
const END_PERIOD: Duration = Duration::from_mins(1);

/// A runtime that is started again when it hangs or ends. It ends when this value is dropped.
pub struct Supervisor<'a> {
    lock: &'a StateLock,
    stop: &'a Stop,
    gate: Gate,
    secret: String,
    runtime: RuntimeProcess,
    reports: RuntimeReports,
    output: Output,
    invocations: Invocations,
    configurations: Vec<PathBuf>,
    /// None if crons do not run by the clock.
    crons: Option<CronClock>,
    // None only while wrangler is started.
    running: Option<Running>,
    /// When wrangler or the runtime ended without a request of this program.
    ends: VecDeque<Instant>,
}

struct Running {
    wrangler: Wrangler,
    monitor: Monitor,
    /// The start of the runtime that the monitor asks.
    start: u64,
    port: u16,
}

/// Why a runtime does not serve.
enum Failure {
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
        let runtime = RuntimeProcess::new(gate.clone(), invocations.clone(), lock.group());
        let secret = &secrets.supervisor_secret;
        let address = reports::receive(invocations.clone(), runtime.clone(), secret)?;
        Ok(Self {
            lock,
            stop,
            gate,
            secret: secrets.front_secret.clone(),
            runtime,
            reports: RuntimeReports::new(address, secret),
            output: Output::new(lock.state())?,
            invocations,
            configurations: Vec::new(),
            crons: None,
            running: None,
            ends: VecDeque::new(),
        })
    }

    /// The URL for reports of invocations.
    pub fn reports_url(&self) -> String {
        self.reports.url()
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
        match self.start_wrangler() {
            Ok(()) => Ok(()),
            Err(Failure::Ended(status)) => bail!(
                "wrangler ended ({status}) before it served; its last output:\n{}",
                self.output.last()
            ),
            Err(Failure::Stopped) => bail!("stopped before the platform was ready"),
            Err(Failure::Other(error)) => Err(error),
        }
    }

    /// Looks after the runtime, and has it started again if it hangs or has ended. Waits until it serves then, or until the stop is
    /// requested. To be called several times a second.
    ///
    /// # Errors
    /// When wrangler or the runtime ends repeatedly or does not start, with the last output.
    pub fn check(&mut self) -> Result<()> {
        let Some(running) = &mut self.running else {
            return Ok(());
        };
        if let Some(status) = running.wrangler.exited()? {
            self.say(&format!("wrangler ended ({status}): starting it again"));
            self.count_end(&format!("wrangler ended ({status})"))?;
            self.gate
                .close("The runtime of the local platform ended and is started again.");
            return self.restart_wrangler();
        }
        if self.runtime.now().start != running.start {
            // The program or wrangler has started it again, and the gate is closed.
            return self.wait_for_restart();
        }
        match running.monitor.poll() {
            Health::Hung => {
                self.gate.close(
                    "The runtime of the local platform was restarted, because the code of a Worker did not return: the output of \
                     `npm run dev` names it.",
                );
                self.end_hung_runtime();
                self.wait_for_restart()
            }
            Health::Unreachable => {
                self.say("the runtime accepts no connections: starting it again");
                self.gate
                    .close("The runtime of the local platform did not answer and is started again.");
                self.runtime.kill();
                self.wait_for_restart()
            }
            Health::Unknown | Health::Healthy => {
                if let Some(crons) = &mut self.crons {
                    crons.poll(running.port);
                }
                Ok(())
            }
        }
    }

    /// The id of wrangler's process group.
    pub fn group(&self) -> Option<i32> {
        self.lock.group().id()
    }

    /// Starts wrangler, again if it ends, and waits until the runtime serves.
    fn restart_wrangler(&mut self) -> Result<()> {
        let began = Instant::now();
        self.running = None;
        loop {
            match self.start_wrangler() {
                Ok(()) => {
                    self.say_served(began);
                    return Ok(());
                }
                Err(Failure::Ended(status)) => self.count_end(&format!("wrangler ended ({status})"))?,
                Err(Failure::Stopped) => return Ok(()),
                Err(Failure::Other(error)) => return Err(error),
            }
        }
    }

    fn start_wrangler(&mut self) -> Result<(), Failure> {
        let before = self.runtime.now().start;
        let wrangler = Wrangler::spawn(self.lock, &self.configurations, &self.reports, &self.output)?;
        self.wait_until_served(wrangler, before)
    }

    /// Waits until another start of the runtime serves. wrangler is started again if it ends meanwhile.
    fn wait_for_restart(&mut self) -> Result<()> {
        let began = Instant::now();
        let Some(Running { wrangler, start, .. }) = self.running.take() else {
            return Ok(());
        };
        match self.wait_until_served(wrangler, start) {
            Ok(()) => {
                self.say_served(began);
                Ok(())
            }
            Err(Failure::Ended(status)) => {
                self.count_end(&format!("wrangler ended ({status})"))?;
                self.restart_wrangler()
            }
            Err(Failure::Stopped) => Ok(()),
            Err(Failure::Other(error)) => Err(error),
        }
    }

    /// Waits until a runtime serves that is started after the start with the number `before`, and opens the gate.
    fn wait_until_served(&mut self, mut wrangler: Wrangler, mut before: u64) -> Result<(), Failure> {
        let group = wrangler.id();
        let began = Instant::now();
        let mut starting: Option<(u64, Monitor)> = None;
        let mut ends = self.runtime.now().ends;
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
            let now = self.runtime.now();
            if now.ends != ends {
                ends = now.ends;
                self.count_end("the runtime ended")?;
            }
            if let Some(port) = now.port
                && now.start > before
            {
                let monitor = match starting.take() {
                    Some((start, monitor)) if start == now.start => monitor,
                    _ => self.monitor(port, HEALTH, group, is_served),
                };
                let (_, monitor) = starting.insert((now.start, monitor));
                match monitor.poll() {
                    Health::Healthy => {
                        self.running = Some(Running {
                            wrangler,
                            monitor: self.monitor(port, ALIVE, group, |_| true),
                            start: now.start,
                            port,
                        });
                        self.gate.open(port);
                        return Ok(());
                    }
                    Health::Hung => {
                        // The code of an alarm or of a health check.
                        before = now.start;
                        self.end_hung_runtime();
                    }
                    Health::Unknown | Health::Unreachable => {}
                }
            }
            if self.stop.wait(PAUSE) {
                return Err(Failure::Stopped);
            }
        }
    }

    fn monitor(&self, port: u16, path: &str, group: i32, is_ok: fn(&Answer) -> bool) -> Monitor {
        Monitor::new(port, path, &self.secret, group, self.gate.progress(), is_ok)
    }

    /// Counts an end of wrangler or of the runtime.
    fn count_end(&mut self, end: &str) -> Result<()> {
        let now = Instant::now();
        self.ends.retain(|end| now.duration_since(*end) < END_PERIOD);
        self.ends.push_back(now);
        if self.ends.len() >= MAX_ENDS {
            bail!(
                "the runtime or wrangler ended {MAX_ENDS} times within a minute: {end}; the last output:\n{}",
                self.output.last()
            );
        }
        Ok(())
    }

    /// Counts the hang for the Workers that were running, says which, and ends the runtime.
    fn end_hung_runtime(&self) {
        self.say("the runtime does not respond: the code of a Worker does not return. It is restarted.");
        match self.invocations.record_hang() {
            Ok(suspects) => self.say_suspects(&suspects),
            Err(error) => self.say(&format!("cannot store which Workers were running: {error:#}")),
        }
        self.runtime.kill();
    }

    fn say_served(&self, began: Instant) {
        let seconds = began.elapsed().as_secs_f32();
        self.say(&format!("the platform serves again after {seconds:.1} s"));
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
