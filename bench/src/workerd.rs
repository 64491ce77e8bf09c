//! A workerd process of its own for what is measured.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

/// How long a workerd may take until it accepts connections.
const START: Duration = Duration::from_secs(20);

pub struct Workerd {
    process: Child,
    pub port: u16,
    log: PathBuf,
}

impl Workerd {
    /// Starts workerd on the configuration, which is written into `folder`, beside the files that it embeds.
    pub fn start(
        binary: &Path,
        folder: &Path,
        name: &str,
        configuration: impl FnOnce(u16) -> String,
    ) -> Result<Self> {
        let port = free_port()?;
        let file = folder.join(format!("{name}.capnp"));
        fs::write(&file, configuration(port))?;
        let log = folder.join(format!("{name}.log"));
        let process = Command::new(binary)
            .args(["serve", "--experimental"])
            .arg(&file)
            .arg("config")
            .stdin(Stdio::null())
            // What Workers print. Nobody reads it, and so it costs all contenders the least that it can.
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .spawn()
            .with_context(|| format!("cannot run {}", binary.display()))?;
        let mut workerd = Self { process, port, log };
        workerd.wait()?;
        Ok(workerd)
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// What workerd and its Workers wrote to standard error, from the end.
    pub fn log(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let tail = text.get(text.len().saturating_sub(2000)..).unwrap_or_default();
        String::from_utf8_lossy(tail).into_owned()
    }

    fn wait(&mut self) -> Result<()> {
        let begun = Instant::now();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        while TcpStream::connect(address).is_err() {
            if let Some(status) = self.process.try_wait()? {
                bail!("workerd ended with {status}: {}", self.log());
            }
            if begun.elapsed() > START {
                bail!("workerd accepts no connection: {}", self.log());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Workerd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
