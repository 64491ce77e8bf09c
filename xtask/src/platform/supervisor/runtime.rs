//! The process of the Workers runtime, as the program that starts it reports it (`xtask/src/runtime.rs`).
//!
//! | state | process | port |
//! |---|---|---|
//! | about to start | none | none |
//! | starting | its id | none |
//! | serving | its id | its port |
//!
//! Only one process runs at a time: two on the same data overwrite each other's files. wrangler ends only the program when the code of
//! the platform changes, so [`RuntimeProcess::receive`] ends what remains of an earlier start before it permits the next one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::invocations::Invocations;
use crate::platform::{Gate, ProcessGroup, RuntimeReport};

/// What clients of unanswered requests read if the supervisor did not end the runtime.
const ENDED: &str =
    "The runtime of the local platform ended or its code was changed, and it is started again.";

/// The state of the runtime. Clones share it.
#[derive(Clone, Debug)]
pub struct RuntimeProcess {
    record: Arc<Mutex<Record>>,
    gate: Gate,
    invocations: Invocations,
    group: ProcessGroup,
}

#[derive(Clone, Copy, Debug, Default)]
struct Record {
    start: u64,
    ends: u64,
    process: Option<i32>,
    port: Option<u16>,
    /// Whether the supervisor has ended the process.
    is_killed: bool,
}

/// A moment of a runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// How many times a runtime was about to start.
    pub start: u64,
    /// How many times one has ended without a request of the supervisor or of wrangler.
    pub ends: u64,
    /// The port, if it serves.
    pub port: Option<u16>,
}

impl RuntimeProcess {
    /// No runtime.
    pub fn new(gate: Gate, invocations: Invocations, group: ProcessGroup) -> Self {
        Self {
            record: Arc::default(),
            gate,
            invocations,
            group,
        }
    }

    /// Its state now.
    pub fn now(&self) -> Moment {
        let Record {
            start, ends, port, ..
        } = *self.lock();
        Moment { start, ends, port }
    }

    /// Ends the process. The program starts another one.
    pub fn kill(&self) {
        let mut record = self.lock();
        record.is_killed = true;
        if let Some(process) = record.process {
            self.group.kill_runtime(process);
        }
    }

    /// Records a report. Returns false if the process of an earlier start does not end, so that no other may start.
    pub fn receive(&self, report: RuntimeReport) -> bool {
        let mut record = self.lock();
        match report {
            RuntimeReport::Begin { again } => {
                self.gate.close_if_open(ENDED);
                if let Some(process) = record.process.take()
                    && !self.group.kill_runtime(process)
                {
                    return false;
                }
                self.invocations.clear();
                record.start += 1;
                record.ends += u64::from(again && !record.is_killed);
                record.is_killed = false;
                record.port = None;
            }
            RuntimeReport::Process { process } => record.process = Some(process),
            RuntimeReport::Port { process, port } => {
                if record.process == Some(process) {
                    record.port = Some(port);
                }
            }
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        os::unix::process::CommandExt,
        process::{Child, Command},
    };

    use super::*;
    use crate::platform::State;

    fn runtime() -> (tempfile::TempDir, RuntimeProcess, Gate) {
        let folder = tempfile::tempdir().unwrap();
        let invocations = Invocations::load(&State::at(folder.path()).unwrap());
        let gate = Gate::default();
        let runtime = RuntimeProcess::new(gate.clone(), invocations, ProcessGroup::default());
        (folder, runtime, gate)
    }

    #[test]
    fn a_runtime_serves_from_its_port_on_until_the_next_start() {
        let (_folder, runtime, _) = runtime();
        for report in [
            RuntimeReport::Begin { again: false },
            RuntimeReport::Process { process: 4_000_000 },
        ] {
            assert!(runtime.receive(report));
            assert_eq!(runtime.now().port, None);
        }
        // Of a start before.
        runtime.receive(RuntimeReport::Port {
            process: 4_000_001,
            port: 1,
        });
        assert_eq!(runtime.now().port, None);
        runtime.receive(RuntimeReport::Port {
            process: 4_000_000,
            port: 2,
        });
        assert_eq!(
            runtime.now(),
            Moment {
                start: 1,
                ends: 0,
                port: Some(2)
            }
        );
        runtime.receive(RuntimeReport::Begin { again: true });
        assert_eq!(
            runtime.now(),
            Moment {
                start: 2,
                ends: 1,
                port: None
            }
        );
    }

    #[test]
    fn an_end_that_the_supervisor_causes_is_not_counted() {
        let (_folder, runtime, _) = runtime();
        runtime.receive(RuntimeReport::Begin { again: false });
        runtime.kill();
        runtime.receive(RuntimeReport::Begin { again: true });
        assert_eq!(runtime.now().ends, 0);
        runtime.receive(RuntimeReport::Begin { again: true });
        assert_eq!(runtime.now().ends, 1);
    }

    /// A process with the name of the runtime, as the first one of a group.
    fn sleeper(folder: &tempfile::TempDir) -> Child {
        let program = folder.path().join("workerd");
        std::os::unix::fs::symlink("/bin/sleep", &program).unwrap();
        Command::new(program).arg("60").process_group(0).spawn().unwrap()
    }

    #[test]
    fn the_process_of_an_earlier_start_is_ended_before_the_next_one() {
        let (folder, runtime, _) = runtime();
        let mut earlier = sleeper(&folder);
        let process = i32::try_from(earlier.id()).unwrap();
        runtime.receive(RuntimeReport::Begin { again: false });
        runtime.receive(RuntimeReport::Process { process });
        runtime.group.set(process + 1);
        assert!(runtime.receive(RuntimeReport::Begin { again: false }));
        assert!(
            earlier.try_wait().unwrap().is_none(),
            "a process of another group was killed"
        );
        runtime.group.set(process);
        runtime.receive(RuntimeReport::Process { process });
        assert!(runtime.receive(RuntimeReport::Begin { again: false }));
        assert!(!earlier.wait().unwrap().success());
    }
}
