//! One workerd process per measured contender.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use http_body_util::Full;
use hyper::{Request, body::Bytes, header::HOST};
use serde::{Deserialize, Serialize};

use crate::{
    bundle::Bundle,
    client::Connection,
    configuration::{Configuration, Optional, Ports},
    contender::Contender,
    setting::Setting,
};

/// How long a workerd may take until it accepts connections.
const START: Duration = Duration::from_secs(20);

pub struct Workerd {
    process: Child,
    pub ports: Ports,
    log: PathBuf,
}

/// What happens to the lines that Workers write to standard output. Those on standard error are always kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// No line is formatted for a reader, which costs every contender the same and the least.
    Discard,
    Keep,
}

/// What the isolate of a dispatcher holds.
#[derive(Debug, Deserialize)]
pub struct Inspection {
    #[serde(flatten)]
    pub held: Held,
    /// The number of data points that were written since the start.
    pub points: usize,
    pub last_point: serde_json::Value,
}

/// What the Wasm of a dispatcher holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The size of the linear memory.
    pub wasm_bytes: u64,
    /// The number of entries in all tables; references to JavaScript objects are stored in one of them.
    pub table_entries: u64,
}

impl Workerd {
    /// Starts the contender in front of the user Worker. `name` is that of the configuration and log files.
    pub fn serve(
        setting: &Setting,
        contender: Contender,
        name: &str,
        optional: Optional,
        output: Output,
    ) -> Result<Self> {
        let bundle = Bundle::open(&setting.folder, contender)?;
        let compatibility = &setting.compatibility;
        Self::start(setting, &bundle, name, output, |ports| {
            Configuration { compatibility, ports }.serving(contender, &bundle.modules(), optional)
        })
        .with_context(|| format!("{} does not start", contender.title()))
    }

    /// Starts workerd with the configuration, which is written into the bundle's folder.
    pub fn start(
        setting: &Setting,
        bundle: &Bundle,
        name: &str,
        output: Output,
        configuration: impl FnOnce(Ports) -> String,
    ) -> Result<Self> {
        let ports = free_ports()?;
        let file = bundle.folder.join(format!("{name}.capnp"));
        fs::write(&file, configuration(ports))?;
        let log = bundle.folder.join(format!("{name}.log"));
        let stderr = File::create(&log)?;
        let stdout = match output {
            Output::Discard => Stdio::null(),
            Output::Keep => File::create(log.with_extension("out"))?.into(),
        };
        let process = Command::new(&setting.workerd)
            .args(["serve", "--experimental"])
            .arg(&file)
            .arg("config")
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .with_context(|| format!("cannot run {}", setting.workerd.display()))?;
        let mut workerd = Self { process, ports, log };
        workerd.wait()?;
        Ok(workerd)
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// The last 2 kB that workerd and its Workers wrote to standard error.
    pub fn log(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let tail = text.get(text.len().saturating_sub(2000)..).unwrap_or_default();
        String::from_utf8_lossy(tail).into_owned()
    }

    /// Everything that was written to standard output (empty unless it is kept) and to standard error.
    pub fn outputs(&self) -> Result<[String; 2]> {
        let stdout = fs::read_to_string(self.log.with_extension("out")).unwrap_or_default();
        Ok([stdout, fs::read_to_string(&self.log)?])
    }

    /// Reads what the isolate of a dispatcher holds.
    pub async fn inspect(&self) -> Result<Inspection> {
        let mut connection = Connection::open(self.ports.inspect).await?;
        let request = Request::get("/")
            .header(HOST, "inspect")
            .body(Full::new(Bytes::new()))?;
        serde_json::from_slice(connection.fetch(request).await?.body()).context("cannot inspect the isolate")
    }

    fn wait(&mut self) -> Result<()> {
        let begun = Instant::now();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.ports.http));
        while TcpStream::connect(address).is_err() {
            if let Some(status) = self.process.try_wait()? {
                bail!("workerd ended with {status}: {}", self.log());
            }
            if begun.elapsed() > START {
                bail!(
                    "workerd accepts no connection after {} s: {}",
                    START.as_secs(),
                    self.log()
                );
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

fn free_ports() -> Result<Ports> {
    // Both are open at the same time, so that they differ.
    let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let (http, inspect) = (bind()?, bind()?);
    Ok(Ports {
        http: http.local_addr()?.port(),
        inspect: inspect.local_addr()?.port(),
    })
}
