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
    progress::Progress,
    setting::Setting,
    statistics::Spread,
    workerd::{Output, Workerd},
};

/// Starts every contender's isolate `count` times, in turns. The times are in milliseconds, in the contenders' order.
pub async fn measure(
    setting: &Setting,
    contenders: &[Contender],
    count: usize,
    progress: &mut Progress,
) -> Result<Vec<Option<Spread>>> {
    progress.step(format_args!("starting isolates"));
    let mut starters = Vec::new();
    for &contender in contenders {
        starters.push((Starter::start(setting, contender)?, Vec::new()));
    }
    for _ in 0..count {
        for (starter, times) in &mut starters {
            times.push(starter.once().await?.as_secs_f64() * 1e3);
        }
    }
    // The first start also warms up the Worker that starts the isolates.
    let spread = |(_, times): (Starter, Vec<f64>)| Spread::of(times.into_iter().skip(1));
    Ok(starters.into_iter().map(spread).collect())
}

/// Starts the isolates of one contender, one after the other.
struct Starter {
    contender: Contender,
    workerd: Workerd,
    starts: usize,
}

impl Starter {
    fn start(setting: &Setting, contender: Contender) -> Result<Self> {
        let bundle = Bundle::open(&setting.folder, contender)?;
        let compatibility = &setting.compatibility;
        let workerd = Workerd::start(setting, &bundle, "starting", Output::Discard, |ports| {
            Configuration { compatibility, ports }.starting(&bundle.modules())
        })?;
        Ok(Self {
            contender,
            workerd,
            starts: 0,
        })
    }

    /// Starts one isolate, and measures from its code to the end of its first response.
    async fn once(&mut self) -> Result<Duration> {
        self.starts += 1;
        let request = Request::get(format!("/{}", self.starts))
            .header(HOST, "starter")
            .body(Full::new(Bytes::new()))?;
        let expected = Expected {
            status: StatusCode::OK,
            body: ExpectedBody::Text("started".to_owned()),
        };
        let mut connection = Connection::open(self.workerd.ports.http).await?;
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
