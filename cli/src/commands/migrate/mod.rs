//! `dotdo migrate`: moves account Workers into the namespaces. `docs/migration.md` describes it.
//!
//! - [`inventory`] reads the account through the deploy API, [`verdict`] judges each Worker, [`target`] names it in a namespace
//! - [`plan_file`] is what `plan` writes, people edit, and the other commands read
//! - no command stores what it has done: `run` and `cutover` compare the plan with the records of the deploy API and with the routes of the
//!   zones, so each can be typed again after it was interrupted

mod addresses;
mod compare;
mod cutover;
mod inventory;
mod need;
mod plan;
mod plan_file;
mod records;
mod requests;
mod run;
mod secrets;
mod target;
mod verdict;
mod verify;

use clap::Subcommand;

use crate::failure::{Exit, Failure};
use crate::session::Session;

/// The commands of a migration, in their order.
#[derive(Debug, Subcommand)]
pub enum MigrateCommand {
    /// List the account Workers with what each needs to move into a namespace, and write a plan that can be edited
    Plan(plan::PlanArguments),
    /// Deploy the Workers of a plan to their namespaces; the account Workers stay
    Run(run::RunArguments),
    /// Send the same requests to the account Workers and to the Workers in the namespaces, and compare the responses
    Verify(verify::VerifyArguments),
    /// Lead the routes and custom domains of the moved Workers to the dispatch Worker, or back
    Cutover(cutover::CutoverArguments),
}

/// Runs a command.
pub fn run(command: &MigrateCommand, session: &Session) -> Result<Exit, Failure> {
    match command {
        MigrateCommand::Plan(arguments) => plan::plan(arguments, session),
        MigrateCommand::Run(arguments) => run::run(arguments, session),
        MigrateCommand::Verify(arguments) => verify::verify(arguments, session),
        MigrateCommand::Cutover(arguments) => cutover::cutover(arguments, session),
    }
}
