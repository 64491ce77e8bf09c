//! The time that an isolate takes to start and to answer its first request.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use http_body_util::Full;
use hyper::{Request, StatusCode, body::Bytes, header::HOST};

use crate::{
    bundle::Bundle,
    client::Connection,
    configuration::Configuration,
    contender::Contender,
    load::{Expected, ExpectedBody},
    setting::Setting,
    workerd::Workerd,
};

/// The starts of a contender, one after the other.
pub struct Starter {
    pub contender: Contender,
    workerd: Workerd,
    starts: usize,
}

impl Starter {
    pub fn start(setting: &Setting, contender: Contender) -> Result<Self> {
        let bundle = Bundle::open(&setting.folder, contender)?;
        let compatibility = &setting.compatibility;
        let configuration = |port| Configuration { compatibility, port }.starting(&bundle.modules());
        let workerd = Workerd::start(&setting.workerd, &bundle.folder, "starting", configuration)?;
        Ok(Self {
            contender,
            workerd,
            starts: 0,
        })
    }

    /// Starts the contender's isolate once more: from its code to the end of its first answer.
    pub async fn once(&mut self) -> Result<Duration> {
        self.starts += 1;
        let request = Request::get(format!("/{}", self.starts))
            .header(HOST, "starter")
            .body(Full::new(Bytes::new()))?;
        let expected = Expected {
            status: StatusCode::OK,
            body: ExpectedBody::Text("started".to_owned()),
        };
        let mut connection = Connection::open(self.workerd.port).await?;
        let begun = Instant::now();
        connection.exchange(request, &expected).await.with_context(|| {
            format!(
                "{} does not start: {}",
                self.contender.title(),
                self.workerd.log()
            )
        })?;
        Ok(begun.elapsed())
    }
}
