//! What was deployed: an order for each Worker, intents before and outcomes after, rollback, promotion, locks.

mod lines;
mod sweep;

pub use lines::{Line, Lines};
pub use sweep::{Swept, sweep};
