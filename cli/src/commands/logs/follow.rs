//! Follows a log: shows its events as they come, and continues a stream that ends.

use std::io::{BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use deploy_api::logs::LogEvent;
use deploy_api::time_filter;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{LogsArguments, deployed, text};
use crate::arguments::WorkerArguments;
use crate::client::{Client, with_parameters};
use crate::count::{agreeing, counted};
use crate::event_stream::{EventStream, Received};
use crate::failure::{Exit, Failure};
use crate::output::Output;

/// The pause before a stream is continued.
const PAUSE: Duration = Duration::from_secs(1);

/// How long a stream may be silent. It has a comment every 15 seconds, so that a broken connection is noticed.
const SILENCE: Duration = Duration::from_secs(50);

/// How many events are read ahead of those that are shown.
const AHEAD: usize = 100;

/// What a stream shows.
#[derive(Debug)]
enum Shown {
    /// An event, also as the JSON that the deploy API sent.
    Event(Box<LogEvent>, Value),
    /// So many events are missing.
    Dropped(u64),
}

/// The data of `dropped`.
#[derive(Deserialize)]
struct Missing {
    events: u64,
}

/// Writes the events of a log until Ctrl-C.
pub fn run(arguments: &LogsArguments, client: &Client, output: &Output) -> Result<Exit, Failure> {
    signal_hook::flag::register_conditional_shutdown(
        signal_hook::consts::SIGINT,
        i32::from(Exit::Success as u8),
        Arc::new(AtomicBool::new(true)),
    )
    .map_err(|error| {
        Failure::refused(
            format!("Ctrl-C cannot be handled: {error}"),
            "Leave --follow out.",
        )
    })?;
    if let Err(failure) = deployed(arguments, client) {
        output.note(&format!("{failure} Its first events are waited for."));
    }
    follow(arguments, client, output, |shown| match shown {
        Shown::Event(_, json) if output.is_json() => output.line(json.to_string()),
        Shown::Dropped(events) if output.is_json() => {
            output.line(json!({ "dropped": { "events": events } }).to_string())
        }
        Shown::Event(event, _) => output.text(&text::event(&event, output.terminal())),
        Shown::Dropped(events) => output.text(&text::dropped(
            &format!(
                "{} {} missing here, because too many came at once.",
                counted(events, "event", "events"),
                agreeing(events, "is", "are")
            ),
            output.terminal(),
        )),
    })
}

/// Follows a log until it is refused, or until the output is closed. A stream that ends is continued where it ended.
fn follow(
    arguments: &LogsArguments,
    client: &Client,
    output: &Output,
    mut show: impl FnMut(Shown) -> Result<(), Failure>,
) -> Result<Exit, Failure> {
    // A duration is one before the beginning, also for a later stream.
    let now = Timestamp::now();
    let since = arguments
        .since
        .as_deref()
        .and_then(|text| time_filter::read(text, now));
    let since = since.map(|time| time.to_string());
    let mut after = None;
    let mut was_open = false;
    let mut is_interrupted = false;
    loop {
        let mut parameters = arguments.filters(since.clone());
        parameters.push(("follow", Some("true".to_owned())));
        parameters.push(("after", after.clone()));
        match client.open(&with_parameters(&arguments.path(), &parameters)) {
            Ok(reader) => {
                if !was_open || is_interrupted {
                    let WorkerArguments { name, env } = &arguments.worker;
                    output.note(&format!("Following {name} in {env}; Ctrl-C ends it."));
                }
                (was_open, is_interrupted) = (true, false);
                receive(reader, &mut after, &mut show)?;
            }
            Err(failure) if was_open && failure.exit() == Exit::Unreachable => {
                if !is_interrupted {
                    output.note(&format!("{failure}\nTrying again until Ctrl-C."));
                }
                is_interrupted = true;
            }
            Err(failure) => return Err(failure),
        }
        thread::sleep(PAUSE);
    }
}

/// Shows what a stream sends until it ends, or is silent for too long.
fn receive(
    reader: BufReader<impl Read + Send + 'static>,
    after: &mut Option<String>,
    show: &mut impl FnMut(Shown) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (sender, receiver) = mpsc::sync_channel(AHEAD);
    // A read cannot be interrupted: the thread of a silent stream ends with the connection, or with the program.
    thread::spawn(move || {
        let mut stream = EventStream::new(reader);
        while let Ok(Some(received)) = stream.receive() {
            if sender.send(received).is_err() {
                break;
            }
        }
    });
    while let Ok(received) = receiver.recv_timeout(SILENCE) {
        let (kind, data, id) = match received {
            Received::Event { kind, data, id } => (kind, data, id),
            // The first one has the position at which the stream begins.
            Received::Comment { id } => (String::new(), String::new(), id),
        };
        match kind.as_str() {
            "log" => {
                let json: Value = parsed(&data)?;
                let event: LogEvent = parsed(&data)?;
                show(Shown::Event(Box::new(event), json))?;
            }
            "dropped" => show(Shown::Dropped(parsed::<Missing>(&data)?.events))?,
            // A comment; and a later version may have more.
            _ => {}
        }
        if id.is_some() {
            *after = id;
        }
    }
    Ok(())
}

fn parsed<T: serde::de::DeserializeOwned>(data: &str) -> Result<T, Failure> {
    serde_json::from_str(data).map_err(|error| {
        Failure::unreachable(
            format!("the log has an event that this version does not know: {error}"),
            "Type `dotdo doctor` to check the versions.",
        )
    })
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, Write as _};
    use std::net::TcpListener;

    use clap::Parser;

    use super::*;
    use crate::credentials::{Credentials, Source};
    use crate::terminal::Terminal;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: LogsArguments,
    }

    fn event(path: &str) -> String {
        json!({
            "time": "2026-11-28T12:00:00.25Z", "namespace": "dotdo-staging", "worker": "agents", "source": "worker",
            "trigger": "request", "deployment": null, "version": null, "outcome": "ok", "code": null, "request_id": null,
            "method": "GET", "host": "agents.do", "path": path, "status": 200, "wall_ms": 1, "cpu_ms": null, "lines": [],
            "exceptions": [], "omitted": 0,
        })
        .to_string()
    }

    /// Answers each connection with the next text, and returns what was requested.
    fn serve(answers: Vec<String>) -> (String, thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let api = format!("http://{}", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let answer = |answer: String| {
                let (stream, _) = listener.accept().unwrap();
                let mut lines = BufReader::new(&stream).lines().map(Result::unwrap);
                let request = lines.next().unwrap();
                lines.find(String::is_empty).unwrap();
                (&stream).write_all(answer.as_bytes()).unwrap();
                request
            };
            answers.into_iter().map(answer).collect()
        });
        (api, server)
    }

    #[test]
    fn a_stream_that_ends_is_continued_after_its_last_event_until_it_is_refused() {
        let stream = |events: String| {
            format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\nid: 0-5\n: open\n\n{events}"
            )
        };
        let refusal = json!({
            "type": "https://example.test/errors.md#x", "title": "T", "status": 403, "detail": "It is denied.",
            "code": "PERMISSION_DENIED", "fix": "Ask.", "notes": [], "request_id": "ray-1",
        })
        .to_string();
        let (api, server) = serve(vec![
            stream(String::new()),
            stream(format!(
                "id: 1-0\nevent: log\ndata: {}\n\nevent: dropped\ndata: {{\"events\":7}}\n\nid: 2-0\nevent: log\ndata: {{",
                event("/one")
            )),
            stream(format!("id: 2-0\nevent: log\ndata: {}\n\n", event("/two"))),
            format!(
                "HTTP/1.1 403 Forbidden\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{refusal}",
                refusal.len()
            ),
        ]);
        let client = Client::new(&Credentials {
            api,
            token: "token".to_owned().into(),
            source: Source::Variables,
        });
        let line = [
            "logs", "agents", "--env", "staging", "-f", "--level", "warn", "--search", "a b",
        ];
        let arguments = Line::parse_from(line).arguments;
        let mut shown = Vec::new();
        let failure = follow(
            &arguments,
            &client,
            &Output::for_tests(Terminal::new(None, false)),
            |what| {
                shown.push(match what {
                    Shown::Event(event, _) => event.path.unwrap_or_default(),
                    Shown::Dropped(events) => events.to_string(),
                });
                Ok(())
            },
        )
        .unwrap_err();
        assert_eq!(failure.exit(), Exit::Refused, "{failure}");
        assert_eq!(shown, ["/one", "7", "/two"]);
        let requests = server.join().unwrap();
        let path = "GET /v1/namespaces/dotdo-staging/workers/agents/logs?";
        let filters = "level=warn&search=a+b&follow=true";
        assert_eq!(requests[0], format!("{path}{filters} HTTP/1.1"));
        assert_eq!(requests[1], format!("{path}{filters}&after=0-5 HTTP/1.1"));
        assert_eq!(requests[2], format!("{path}{filters}&after=1-0 HTTP/1.1"));
        assert_eq!(requests[3], format!("{path}{filters}&after=2-0 HTTP/1.1"));
    }
}
