//! `dotdo logs`: the log of a Worker, as it is or as it comes.

mod follow;
mod text;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use deploy_api::logs::{DroppedEvents, LogEvent, LogLevel, LogPage};
use serde_json::{Value, json};

use crate::arguments::WorkerArguments;
use crate::client::{Client, with_parameters, worker_path};
use crate::count::{agreeing, counted};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::progress;
use crate::session::Session;
use crate::times;

/// The most events of a page.
const PAGE: u32 = 1000;

/// The arguments of `dotdo logs`.
#[derive(Args, Debug)]
#[command(
    after_help = "JSON: {\"items\": […], \"dropped\": …}; the items are those of GET …/workers/NAME/logs, the newest first. With `-f`, one JSON value a line: each is such an item, or {\"dropped\": {\"events\": COUNT}} where events are missing.\n\nText has the newest event last. An event is shown about a second after it ended. The last 5,000 events or 4 MB are kept, for at most 7 days."
)]
pub struct LogsArguments {
    #[command(flatten)]
    worker: WorkerArguments,
    /// Show events as they come, until Ctrl-C
    #[arg(long, short, conflicts_with = "limit")]
    follow: bool,
    /// Only events since a time: 90m, 1h, 2d, a date or a time
    #[arg(long, value_name = "TIME", value_parser = times::filter)]
    since: Option<String>,
    /// Only failures, and events with a line of this level or a more severe one
    #[arg(long, value_name = "LEVEL", value_parser = level())]
    level: Option<LogLevel>,
    /// Only events with this text in a line, an exception or the path
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Only the events of the request with this id, which error pages show
    #[arg(long, value_name = "ID")]
    request: Option<String>,
    /// The most events to show
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

fn level() -> impl TypedValueParser<Value = LogLevel> {
    PossibleValuesParser::new(LogLevel::ALL.map(LogLevel::name))
        .try_map(|name| LogLevel::from_name(&name).ok_or("it is not a level"))
}

/// Shows the log of a Worker.
pub fn run(arguments: &LogsArguments, session: &Session) -> Result<Exit, Failure> {
    let client = session.client()?;
    if arguments.follow {
        follow::run(arguments, &client, &session.output)
    } else {
        read(arguments, &client, &session.output)
    }
}

fn read(arguments: &LogsArguments, client: &Client, output: &Output) -> Result<Exit, Failure> {
    let mut events: Vec<LogEvent> = Vec::new();
    let mut items = Vec::new();
    let mut cursor = None;
    let dropped: DroppedEvents = loop {
        let left = arguments
            .limit
            .saturating_sub(u32::try_from(events.len()).unwrap_or(u32::MAX));
        let mut parameters = arguments.filters(arguments.since.clone());
        parameters.push(("limit", Some(left.min(PAGE).to_string())));
        parameters.push(("cursor", cursor.take()));
        let path = with_parameters(&arguments.path(), &parameters);
        let mut page = progress::during("reading the log", || client.get::<LogPage>(&path))?;
        if let Some(Value::Array(of_page)) = page.json.get_mut("items").map(Value::take) {
            items.extend(of_page);
        }
        events.extend(page.value.items);
        cursor = page.value.cursor;
        if cursor.is_none() || u32::try_from(events.len()).is_ok_and(|count| count >= arguments.limit) {
            break page.value.dropped;
        }
    };
    if events.is_empty() {
        deployed(arguments, client)?;
    }
    output.either(&json!({ "items": items, "dropped": dropped }), |output| {
        if events.is_empty() {
            output.line("There are no such events.")?;
            if arguments.request.is_some() {
                output.note(
                    "An event is shown about a second after it ended. `dotdo route URL` says which Worker and environment a URL leads to.",
                );
            }
        }
        for event in events.iter().rev() {
            output.text(&text::event(event, output.terminal()))?;
        }
        if let Some(last) = dropped.last {
            output.text(&text::dropped(
                &format!(
                    "{} of the last 7 days {} not in the log, because too many came at once, the last at {last:.0}.",
                    counted(dropped.events, "event", "events"),
                    agreeing(dropped.events, "is", "are")
                ),
                output.terminal(),
            ))?;
        }
        Ok(())
    })?;
    if cursor.is_some() {
        output.note(&format!(
            "There are earlier events: add --limit {}, or a filter.",
            arguments.limit.saturating_mul(10)
        ));
    }
    Ok(Exit::Success)
}

/// Whether the Worker is deployed, as far as the caller may know.
fn deployed(arguments: &LogsArguments, client: &Client) -> Result<(), Failure> {
    let WorkerArguments { name, env } = &arguments.worker;
    match client.get::<Value>(&worker_path(*env, name)) {
        Err(failure) if failure.is("WORKER_UNKNOWN") => Err(failure.suggest(
            &["WORKER_UNKNOWN"],
            format!("Type `dotdo workers {env}` to list the Workers, or `dotdo worker {name}` for the other environments."),
        )),
        _ => Ok(()),
    }
}

impl LogsArguments {
    fn path(&self) -> String {
        format!("{}/logs", worker_path(self.worker.env, &self.worker.name))
    }

    fn filters(&self, since: Option<String>) -> Vec<(&'static str, Option<String>)> {
        vec![
            ("since", since),
            ("level", self.level.map(|level| level.name().to_owned())),
            ("search", self.search.clone()),
            ("request_id", self.request.clone()),
        ]
    }
}
