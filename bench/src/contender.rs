use serde::Serialize;

/// What receives the requests of a load: the user Worker itself, or a dispatcher in front of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Contender {
    /// A Worker without code, which is only started.
    Empty,
    UserWorker,
    Dispatcher,
    /// A second copy of [`Self::Dispatcher`]: their ratio is the noise of the run (the A/A control).
    Control,
    /// The dispatch Worker of an earlier commit, built with that commit's tools.
    Baseline,
    TwoLookUps,
    Hono,
    SameFeatures,
    WorkersRs,
}

impl Contender {
    pub const ALL: [Self; 9] = [
        Self::Empty,
        Self::UserWorker,
        Self::Dispatcher,
        Self::Control,
        Self::Baseline,
        Self::TwoLookUps,
        Self::Hono,
        Self::SameFeatures,
        Self::WorkersRs,
    ];

    /// The folder under `target/bench/`, and the name on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::UserWorker => "user-worker",
            Self::Dispatcher => "dispatcher",
            Self::Control => "control",
            Self::Baseline => "baseline",
            Self::TwoLookUps => "two-look-ups",
            Self::Hono => "hono",
            Self::SameFeatures => "same-features",
            Self::WorkersRs => "workers-rs",
        }
    }

    /// The name in the table.
    pub fn title(self) -> &'static str {
        match self {
            Self::Empty => "empty Worker",
            Self::UserWorker => "no dispatcher",
            Self::Dispatcher => "this dispatch Worker",
            Self::Control => "second copy (A/A)",
            Self::Baseline => "baseline build",
            Self::TwoLookUps => "TypeScript, two look-ups",
            Self::Hono => "Hono, two look-ups",
            Self::SameFeatures => "TypeScript, our features",
            Self::WorkersRs => "stock workers-rs",
        }
    }

    /// Whether loads run on it.
    pub fn serves(self) -> bool {
        self != Self::Empty
    }

    /// Whether it selects a Worker by the request's host.
    pub fn dispatches(self) -> bool {
        !matches!(self, Self::Empty | Self::UserWorker)
    }

    /// Whether service bindings between Workers of a namespace lead through it, or directly to the Worker.
    pub fn serves_bindings(self) -> bool {
        matches!(self, Self::UserWorker | Self::Dispatcher | Self::Control)
    }

    /// Whether it writes a data point for each request when `ANALYTICS` is bound.
    pub fn writes_points(self) -> bool {
        matches!(
            self,
            Self::Dispatcher | Self::Control | Self::Baseline | Self::SameFeatures
        )
    }
}

impl std::str::FromStr for Contender {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let contender = Self::ALL.into_iter().find(|contender| contender.name() == text);
        contender.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("`{text}` is not a contender: use one of {names}")
        })
    }
}
