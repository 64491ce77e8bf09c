//! Server-sent events, read while they arrive. Maintained readers are asynchronous; this program is not.

use std::io::{self, BufRead};

/// What a stream sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// A comment, which shows that the stream is open.
    Comment {
        /// The id after which another stream continues, if there is one already.
        id: Option<String>,
    },
    /// An event.
    Event {
        /// Its type; empty if it has none.
        kind: String,
        /// Its data.
        data: String,
        /// The id after which another stream continues: that of the event, or else of an earlier one.
        id: Option<String>,
    },
}

/// A stream of server-sent events whose lines end with a line feed, or with a carriage return and a line feed
/// (<https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream>).
#[derive(Debug)]
pub struct EventStream<R> {
    reader: R,
    id: Option<String>,
}

impl<R: BufRead> EventStream<R> {
    /// The events that a reader returns.
    pub const fn new(reader: R) -> Self {
        Self { reader, id: None }
    }

    /// Waits for the next event or comment; `None` at the end. An event that is cut off by the end is not returned.
    ///
    /// # Errors
    /// If the connection is broken.
    pub fn receive(&mut self) -> io::Result<Option<Received>> {
        let mut kind = String::new();
        let mut data: Option<String> = None;
        while let Some(line) = self.line()? {
            if line.is_empty() {
                // Without data, it only sets the id.
                if let Some(data) = data.take() {
                    let id = self.id.clone();
                    return Ok(Some(Received::Event { kind, data, id }));
                }
                kind.clear();
                continue;
            }
            let (field, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                // Within an event, its end follows at once.
                "" if data.is_none() && kind.is_empty() => {
                    let id = self.id.clone();
                    return Ok(Some(Received::Comment { id }));
                }
                "event" => value.clone_into(&mut kind),
                "id" => self.id = Some(value.to_owned()),
                "data" => match &mut data {
                    Some(data) => {
                        data.push('\n');
                        data.push_str(value);
                    }
                    None => data = Some(value.to_owned()),
                },
                _ => {}
            }
        }
        Ok(None)
    }

    /// A line without its end; `None` at the end of the stream.
    fn line(&mut self) -> io::Result<Option<String>> {
        let mut bytes = Vec::new();
        self.reader.read_until(b'\n', &mut bytes)?;
        let Some(line) = bytes.strip_suffix(b"\n") else {
            return Ok(None);
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        Ok(Some(String::from_utf8_lossy(line).into_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<Received> {
        let mut stream = EventStream::new(text.as_bytes());
        std::iter::from_fn(|| stream.receive().unwrap()).collect()
    }

    fn event(kind: &str, data: &str, id: Option<&str>) -> Received {
        Received::Event {
            kind: kind.to_owned(),
            data: data.to_owned(),
            id: id.map(str::to_owned),
        }
    }

    #[test]
    fn comments_and_events_are_read_in_order() {
        assert_eq!(
            all(": open\n\nid: 1-2\nevent: log\ndata: {\"a\": 1}\n\nevent: dropped\ndata: 7\n\n: ping\n\n"),
            [
                Received::Comment { id: None },
                event("log", "{\"a\": 1}", Some("1-2")),
                event("dropped", "7", Some("1-2")),
                Received::Comment {
                    id: Some("1-2".to_owned())
                },
            ]
        );
    }

    #[test]
    fn fields_are_read_as_the_standard_says() {
        assert_eq!(
            all("data:one\r\ndata:  two\r\n: within\r\nretry: 3\r\ndata\r\n\r\n"),
            [event("", "one\n two\n", None)]
        );
        assert_eq!(
            all("event: log\nid: 5\n\ndata: x\n\n"),
            [event("", "x", Some("5"))]
        );
        assert_eq!(
            all("id: 5\n: open\n\n"),
            [Received::Comment {
                id: Some("5".to_owned())
            }]
        );
    }

    #[test]
    fn an_event_that_is_cut_off_is_not_returned() {
        assert_eq!(all("data: a\n\ndata: b\n"), [event("", "a", None)]);
        assert_eq!(
            all("data: a\n\ndata: b\n\ndata: c"),
            [event("", "a", None), event("", "b", None)]
        );
    }
}
