//! What a change may make of a Worker.

use std::collections::BTreeMap;

use crate::platform::Answered;

use super::step::Change;

/// A Worker at the upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// The length of its code, which is the number of the version.
    pub version: usize,
    /// Its secrets. Each value is the number of the change that set it.
    pub secrets: BTreeMap<String, String>,
}

/// How the deploy API answered a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was carried out.
    Done,
    /// Nothing was changed.
    Refused,
    /// It was carried out, and its health check failed.
    Unhealthy,
    /// It may have been carried out: an answer was lost, or the process ended.
    Unknown,
}

impl Answer {
    pub fn of(answered: Option<&Answered>) -> Self {
        let Some(answered) = answered else {
            return Self::Unknown;
        };
        let text = answered.text();
        match answered.status {
            200..300 => Self::Done,
            422 if text.contains("health check") => Self::Unhealthy,
            400..500 => Self::Refused,
            _ => Self::Unknown,
        }
    }
}

/// A change with what the model needs to know about it.
#[derive(Debug)]
pub struct Requested<'a> {
    pub change: &'a Change,
    /// The version that it deploys, if it is an upload or a redeploy.
    pub version: Option<usize>,
    /// The versions that a failed health check may restore: the current one or, if it is uploaded again, the one before it.
    pub restored: Vec<usize>,
    /// The value of the secret that it sets.
    pub text: String,
}

impl Requested<'_> {
    /// The states that the upstream may have after the answer.
    pub fn allows(&self, before: Option<&Served>, answer: Answer) -> Vec<Option<Served>> {
        let unchanged = before.cloned();
        match answer {
            Answer::Done => vec![self.carried_out(before)],
            Answer::Refused => vec![unchanged],
            Answer::Unhealthy => std::iter::once(self.carried_out(before))
                .chain(self.undone(before))
                .collect(),
            Answer::Unknown => [unchanged, self.carried_out(before)]
                .into_iter()
                .chain(self.undone(before))
                .collect(),
        }
    }

    /// The states that the upstream may have after two changes at once, which are carried out in one of the two orders.
    pub fn allow_both(changes: [(&Self, Answer); 2], before: Option<&Served>) -> Vec<Option<Served>> {
        let [one, other] = changes;
        let in_order = |(first, first_answer): (&Self, Answer), (second, second_answer): (&Self, Answer)| {
            let between = first.allows(before, first_answer).into_iter();
            between
                .flat_map(|between| second.allows(between.as_ref(), second_answer))
                .collect::<Vec<_>>()
        };
        let mut allowed = in_order(one, other);
        allowed.extend(in_order(other, one));
        allowed
    }

    fn carried_out(&self, before: Option<&Served>) -> Option<Served> {
        let secrets = before.map(|served| served.secrets.clone()).unwrap_or_default();
        match self.change {
            Change::Delete => None,
            Change::PutSecret(name) => before.map(|served| {
                let mut served = served.clone();
                served.secrets.insert((*name).to_owned(), self.text.clone());
                served
            }),
            Change::DeleteSecret(name) => before.map(|served| {
                let mut served = served.clone();
                served.secrets.remove(*name);
                served
            }),
            Change::Deploy(_)
            | Change::Retry
            | Change::Rollback(_)
            | Change::Promote
            | Change::Preview(_)
            | Change::Overwrite => self.version.map(|version| Served { version, secrets }),
            Change::Adopt => before.cloned(),
        }
    }

    fn undone(&self, before: Option<&Served>) -> impl Iterator<Item = Option<Served>> {
        let secrets = before.map(|served| served.secrets.clone()).unwrap_or_default();
        self.restored.iter().map(move |version| {
            Some(Served {
                version: *version,
                secrets: secrets.clone(),
            })
        })
    }
}
