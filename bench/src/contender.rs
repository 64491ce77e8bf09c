use serde::Serialize;

/// What answers the requests of a load: the user Worker by itself, or a dispatcher in front of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Contender {
    UserWorker,
    Dispatcher,
    TwoLookUps,
    Hono,
    SameFeatures,
    WorkersRs,
}

impl Contender {
    pub const ALL: [Self; 6] = [
        Self::UserWorker,
        Self::Dispatcher,
        Self::TwoLookUps,
        Self::Hono,
        Self::SameFeatures,
        Self::WorkersRs,
    ];

    /// Its folder under `target/bench/`, and its name on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::UserWorker => "user-worker",
            Self::Dispatcher => "dispatcher",
            Self::TwoLookUps => "two-look-ups",
            Self::Hono => "hono",
            Self::SameFeatures => "same-features",
            Self::WorkersRs => "workers-rs",
        }
    }

    /// Its name in the table.
    pub fn title(self) -> &'static str {
        match self {
            Self::UserWorker => "no dispatcher",
            Self::Dispatcher => "this dispatch Worker",
            Self::TwoLookUps => "TypeScript, two look-ups",
            Self::Hono => "Hono, two look-ups",
            Self::SameFeatures => "TypeScript, our features",
            Self::WorkersRs => "stock workers-rs",
        }
    }

    /// Whether it looks at the host at all.
    pub fn dispatches(self) -> bool {
        self != Self::UserWorker
    }
}

impl std::str::FromStr for Contender {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let contender = Self::ALL.into_iter().find(|contender| contender.name() == text);
        contender.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("`{text}` is no contender: choose from {names}")
        })
    }
}
