//! The commands.

mod audit;
mod changes;
mod check;
mod ci;
mod completions;
mod deployments;
mod doctor;
mod health;
mod locks;
mod login;
mod logs;
mod migrate;
mod policy;
mod route;
mod secrets;
mod setup;
mod status;
mod tags;
mod tokens;
mod workers;

use clap::Subcommand;

use crate::failure::{Exit, Failure};
use crate::session::Session;

/// A command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Store the address of the deploy API and a token for this user
    Login(login::LoginArguments),
    /// Remove the stored token
    #[command(after_help = "JSON: {\"removed\": true}, or false if there was none.")]
    Logout,
    /// Show who you are, and which rules of the policy apply to you
    #[command(after_help = "JSON: the response of GET /v1/whoami, with the members `api` and `source`.")]
    Whoami,
    /// Show what needs attention in each namespace
    #[command(after_help = "JSON: the response of GET /v1/status.")]
    Status,
    /// List the Workers of one or all environments
    Workers(workers::WorkersArguments),
    /// Show one Worker in all environments, with its URLs
    Worker(workers::WorkerArguments),
    /// List deployments: who, commit, run, message, time, outcome
    Deployments(deployments::DeploymentsArguments),
    /// Show the log of a Worker: requests, console lines and exceptions
    Logs(logs::LogsArguments),
    /// Deploy an earlier deployment again
    Rollback(changes::RollbackArguments),
    /// Deploy what one environment serves to another one
    Promote(changes::PromoteArguments),
    /// Serve an earlier deployment as a preview in development, which expires
    Preview(changes::PreviewArguments),
    /// Remove a Worker from an environment
    Delete(changes::DeleteArguments),
    /// Stop changes of a Worker or of a namespace
    Lock(locks::LockArguments),
    /// End a lock
    Unlock(locks::UnlockArguments),
    /// List, set and remove the secrets of a Worker
    #[command(subcommand)]
    Secrets(secrets::SecretsCommand),
    /// List and replace the tags of a Worker
    #[command(subcommand)]
    Tags(tags::TagsCommand),
    /// Show, set and remove the health check of a Worker, or check it now
    #[command(subcommand)]
    Health(health::HealthCommand),
    /// Show, compare, explain and replace the policy
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// List, create and revoke tokens
    #[command(subcommand)]
    Tokens(tokens::TokensCommand),
    /// List, export and verify the audit log
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Explain how requests are routed
    Route(route::RouteArguments),
    /// Move account Workers into the namespaces: plan, run, verify, cutover
    #[command(subcommand)]
    Migrate(migrate::MigrateCommand),
    /// Compare the wrangler configuration of a Worker with what a namespace supports
    Check(check::CheckArguments),
    /// Remove credentials of Cloudflare from GitHub workflows
    #[command(subcommand)]
    Ci(ci::CiCommand),
    /// Check the credentials, the clock, wrangler, the deploy API and the dispatch Worker
    #[command(
        after_help = "JSON: {\"checks\": [{\"check\", \"outcome\", \"detail\", \"fix\"}]}; an outcome is `ok`, `warning` or `failed`. The exit code is 1 if a check failed, and 3 if the deploy API cannot be reached."
    )]
    Doctor,
    /// Set the platform up in a Cloudflare account, or show what is missing
    Setup(setup::SetupArguments),
    /// Print a completion script for a shell
    Completions(completions::CompletionsArguments),
}

/// Runs a command.
///
/// # Errors
/// Why it failed.
pub fn run(command: Command, session: &Session) -> Result<Exit, Failure> {
    match command {
        Command::Login(arguments) => login::login(&arguments, session),
        Command::Logout => login::logout(session),
        Command::Whoami => login::whoami(session),
        Command::Status => status::status(session),
        Command::Workers(arguments) => workers::list(&arguments, session),
        Command::Worker(arguments) => workers::show(&arguments, session),
        Command::Deployments(arguments) => deployments::list(&arguments, session),
        Command::Logs(arguments) => logs::run(&arguments, session),
        Command::Rollback(arguments) => changes::rollback(&arguments, session),
        Command::Promote(arguments) => changes::promote(&arguments, session),
        Command::Preview(arguments) => changes::preview(&arguments, session),
        Command::Delete(arguments) => changes::delete(&arguments, session),
        Command::Lock(arguments) => locks::lock(&arguments, session),
        Command::Unlock(arguments) => locks::unlock(&arguments, session),
        Command::Secrets(command) => secrets::run(&command, session),
        Command::Tags(command) => tags::run(&command, session),
        Command::Health(command) => health::run(&command, session),
        Command::Policy(command) => policy::run(&command, session),
        Command::Tokens(command) => tokens::run(&command, session),
        Command::Audit(command) => audit::run(&command, session),
        Command::Route(arguments) => route::run(&arguments, session),
        Command::Migrate(command) => migrate::run(&command, session),
        Command::Check(arguments) => check::run(&arguments, session),
        Command::Ci(command) => ci::run(&command, session),
        Command::Doctor => doctor::run(session),
        Command::Setup(arguments) => setup::run(&arguments, session),
        Command::Completions(arguments) => completions::run(&arguments, session),
    }
}
