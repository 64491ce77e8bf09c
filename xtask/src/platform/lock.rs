use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::ErrorKind,
    os::unix::fs::{FileExt, MetadataExt},
    path::Path,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::{
    State,
    processes::{self, ProcessGroup, poll},
};

/// How long a process that has just locked the file may take to write its [`Holder`].
const RECORD: Duration = Duration::from_millis(500);

/// How long a lock may outlive its holder: a child process has a copy of the file until it starts its program.
const RELEASE: Duration = Duration::from_millis(500);

/// The exclusive use of a state folder.
///
/// It is an advisory lock on the file [`State::mark`], which the operating system releases when this process ends,
/// however it ends. The file is closed in child processes, so a runtime that outlives this process does not hold the
/// lock.
#[derive(Debug)]
pub struct StateLock {
    state: State,
    file: File,
    group: ProcessGroup,
}

/// What the locked file says about the process that holds the lock.
#[derive(Debug, Deserialize, Serialize)]
struct Holder {
    /// Its process id.
    process: u32,
    /// The process group of wrangler and the runtime, once they run.
    group: Option<i32>,
}

impl StateLock {
    /// Creates the state folder, locks it, and ends what remains of a platform that was killed: two runtimes on one
    /// state folder overwrite each other's files.
    ///
    /// # Errors
    /// When another process holds the lock, or the folder holds other files or cannot be written.
    pub fn acquire(state: State) -> Result<Self> {
        state.check_ownership()?;
        loop {
            state.create()?;
            if let Some(file) = lock(&state)? {
                let previous = read_holder(&file);
                let lock = Self {
                    state,
                    file,
                    group: ProcessGroup::default(),
                };
                lock.record()?;
                lock.end_leftover(previous)?;
                return Ok(lock);
            }
            // The process that held the lock has removed the folder.
        }
    }

    /// The locked state folder.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The process group that [`Self::record_group`] stores.
    pub fn group(&self) -> ProcessGroup {
        self.group.clone()
    }

    /// Records the process group of wrangler and the runtime.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn record_group(&self, id: i32) -> Result<()> {
        self.group.set(id);
        self.record()
    }

    /// The value of [`processes::MARK`] for the processes of this platform: the identity of the locked file. No other
    /// running platform has it, because the system does not reuse it while a process has the file open.
    ///
    /// # Errors
    /// When the system does not report it.
    pub fn process_mark(&self) -> Result<String> {
        let metadata = self.file.metadata()?;
        Ok(format!("{}:{}", metadata.dev(), metadata.ino()))
    }

    /// Removes everything in the folder except the locked file.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn reset(&self) -> Result<()> {
        for entry in fs::read_dir(self.state.folder())? {
            let path = entry?.path();
            if path == self.state.mark() {
                continue;
            }
            let removed = if path.is_dir() && !path.is_symlink() {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
            removed.with_context(|| format!("cannot remove {}", path.display()))?;
        }
        Ok(())
    }

    /// Removes the folder with everything in it.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn remove(self) -> Result<()> {
        fs::remove_dir_all(self.state.folder())
            .with_context(|| format!("cannot remove the state folder {}", self.state.folder().display()))
    }

    fn record(&self) -> Result<()> {
        let holder = Holder {
            process: std::process::id(),
            group: self.group.id(),
        };
        // One call writes it whole, so that another process never reads an empty file here.
        let text = serde_json::to_string(&holder)?;
        self.file
            .write_all_at(text.as_bytes(), 0)
            .and_then(|()| self.file.set_len(text.len() as u64))
            .with_context(|| format!("cannot write {}", self.state.mark().display()))
    }

    fn end_leftover(&self, previous: Option<Holder>) -> Result<()> {
        if processes::can_read_environments() {
            if !processes::kill_marked(&self.process_mark()?) {
                bail!("the processes of a platform that was killed do not end: end them, then start again");
            }
        } else if let Some(group) = previous.and_then(|holder| holder.group)
            && processes::is_group(group)
        {
            // The id may belong to another process group by now, so this program does not kill it.
            bail!(
                "a platform that was killed may have left the process group {group} behind: look with \
                 `ps -g {group}`, end it with `kill -9 -- -{group}`, then start again"
            );
        }
        Ok(())
    }
}

impl Drop for StateLock {
    fn drop(&mut self) {
        // What remains here after a kill only serves an error text.
        let _ = self.file.set_len(0);
    }
}

/// Locks the file of a state folder; `None` when the file was removed before it was locked.
fn lock(state: &State) -> Result<Option<File>> {
    let path = state.mark();
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot write {}", path.display())),
    };
    let mut locked = file.try_lock();
    poll(RELEASE, || {
        if matches!(locked, Err(TryLockError::WouldBlock)) {
            locked = file.try_lock();
        }
        !matches!(locked, Err(TryLockError::WouldBlock))
    });
    match locked {
        Ok(()) => Ok(is_at(&file, &path)?.then_some(file)),
        Err(TryLockError::WouldBlock) => bail!(in_use(state, &file)),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

/// Whether a path still names an open file.
fn is_at(file: &File, path: &Path) -> Result<bool> {
    let opened = file.metadata()?;
    match fs::metadata(path) {
        Ok(named) => Ok((named.dev(), named.ino()) == (opened.dev(), opened.ino())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn read_holder(file: &File) -> Option<Holder> {
    let mut buffer = [0; 256];
    let length = file.read_at(&mut buffer, 0).ok()?;
    // The end of an earlier, longer record may follow.
    serde_json::Deserializer::from_slice(buffer.get(..length)?)
        .into_iter()
        .next()?
        .ok()
}

fn in_use(state: &State, file: &File) -> String {
    let mut holder = None;
    poll(RECORD, || {
        holder = read_holder(file);
        holder.is_some()
    });
    let folder = state.folder().display();
    let advice = "or choose another state folder with --state FOLDER";
    match holder {
        Some(Holder { process, group }) => {
            let group = group.map_or_else(String::new, |group| {
                format!(", wrangler's process group is {group}")
            });
            format!(
                "process {process} already runs a platform on the state folder {folder}{group}: stop it with Ctrl-C \
                 in its terminal or with `kill {process}`, {advice}"
            )
        }
        None => {
            format!("another process already runs a platform on the state folder {folder}: stop it, {advice}")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{env, os::unix::process::CommandExt, path::PathBuf, process::Command, thread};

    use super::*;

    /// A new path in the system's folder for temporary files, whose folder ends with the value.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = env::temp_dir().join(format!("dotdo-lock-{}-{name}", std::process::id()));
            Self(path)
        }

        fn state(&self) -> State {
            State::at(&self.0).unwrap()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn rejects_a_second_lock_and_names_the_holder() {
        let folder = Folder::new("second");
        let held = StateLock::acquire(folder.state()).unwrap();
        held.record_group(4_000_000).unwrap();
        let error = StateLock::acquire(folder.state()).unwrap_err().to_string();
        let process = format!("process {} already", std::process::id());
        assert!(error.contains(&process), "{error}");
        assert!(error.contains("4000000") && error.contains("--state"), "{error}");
        drop(held);
        StateLock::acquire(folder.state()).unwrap();
    }

    /// The copy stands for the one of a child process between its fork and the start of its program.
    #[test]
    fn waits_for_a_copy_of_the_file_in_a_child_process() {
        let folder = Folder::new("child");
        let held = StateLock::acquire(folder.state()).unwrap();
        let copy = held.file.try_clone().unwrap();
        drop(held);
        let child = thread::spawn(move || {
            thread::sleep(Duration::from_millis(50));
            drop(copy);
        });
        StateLock::acquire(folder.state()).unwrap();
        child.join().unwrap();
    }

    #[test]
    fn a_shorter_record_replaces_a_longer_one() {
        let folder = Folder::new("record");
        let held = StateLock::acquire(folder.state()).unwrap();
        held.record_group(4_000_000).unwrap();
        held.record_group(0).unwrap();
        let holder: Holder =
            serde_json::from_str(&fs::read_to_string(folder.state().mark()).unwrap()).unwrap();
        assert_eq!((holder.process, holder.group), (std::process::id(), None));
    }

    #[test]
    fn a_lock_on_a_removed_file_does_not_lock_the_folder() {
        let folder = Folder::new("removed");
        folder.state().create().unwrap();
        let path = folder.state().mark();
        let file = File::create(&path).unwrap();
        assert!(is_at(&file, &path).unwrap());
        fs::remove_file(&path).unwrap();
        assert!(!is_at(&file, &path).unwrap());
        let _other = File::create(&path).unwrap();
        assert!(!is_at(&file, &path).unwrap());
    }

    #[test]
    fn reset_removes_everything_but_the_locked_file() {
        let folder = Folder::new("reset");
        let held = StateLock::acquire(folder.state()).unwrap();
        held.state().write_private("workers/data", "x").unwrap();
        held.state().write_private("secrets.json", "x").unwrap();
        held.reset().unwrap();
        let left: Vec<_> = fs::read_dir(&folder.0)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        assert_eq!(left, [folder.state().mark()]);
        StateLock::acquire(folder.state()).unwrap_err();
    }

    #[test]
    fn rejects_a_folder_with_other_files_and_does_not_change_it() {
        let folder = Folder::new("other");
        fs::create_dir_all(&folder.0).unwrap();
        fs::write(folder.0.join("precious.txt"), "precious").unwrap();
        let error = StateLock::acquire(folder.state()).unwrap_err().to_string();
        assert!(error.contains("--state"), "{error}");
        assert!(!folder.state().mark().exists());
    }

    fn sleeper(mark: Option<&str>) -> std::process::Child {
        let mut command = Command::new("sleep");
        command.arg("60").process_group(0);
        if let Some(mark) = mark {
            command.env(processes::MARK, mark);
        }
        command.spawn().unwrap()
    }

    /// The processes of a killed platform remain, and a recorded process id may belong to another process by now.
    #[test]
    fn kills_the_marked_processes_and_not_the_recorded_group() {
        let folder = Folder::new("leftover");
        let held = StateLock::acquire(folder.state()).unwrap();
        let mark = held.process_mark().unwrap();
        let mut leftover = sleeper(Some(&mark));
        let mut of_another_platform = sleeper(Some("1:2"));
        let mut unrelated = sleeper(None);
        held.record_group(i32::try_from(unrelated.id()).unwrap()).unwrap();
        let record = fs::read(folder.state().mark()).unwrap();
        drop(held);
        fs::write(folder.state().mark(), record).unwrap();

        StateLock::acquire(folder.state()).unwrap();
        assert!(!leftover.wait().unwrap().success());
        for process in [&mut unrelated, &mut of_another_platform] {
            assert!(
                process.try_wait().unwrap().is_none(),
                "an unrelated process was killed"
            );
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }
}
