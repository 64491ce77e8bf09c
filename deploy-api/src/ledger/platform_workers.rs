//! The changes that are possible for the Workers of the platform in the account.

use super::change::{Begin, Change};
use crate::code::Code;
use crate::problem::Problem;

/// Why a change is not possible, whatever the policy allows: a Worker of the platform can only be deployed and rolled back, and its code
/// stays in the account. `None` if it is possible.
pub(super) fn refusal(begin: &Begin) -> Option<Problem> {
    let target = &begin.target;
    let (detail, fix) = match &begin.change {
        Change::Promote { from, .. } if from.is_in_account() || target.is_in_account() => (
            "A Worker of the platform cannot be promoted: it is the same for all environments.".to_owned(),
            "Deploy it from its repository: npm run deploy.".to_owned(),
        ),
        Change::Preview { from, .. } if from.is_in_account() => (
            format!("{from} is a Worker of the platform, which cannot run as a preview."),
            "Run it on your machine: npm run dev.".to_owned(),
        ),
        _ if !target.is_in_account() => return None,
        Change::Deploy(_)
        | Change::Rollback {
            with_secrets: false, ..
        }
        | Change::UndoDeployment { .. }
        | Change::Overwrite { .. } => return None,
        Change::Adopt { .. } => (
            format!("What the account has as {target} cannot be adopted, because its code is not stored."),
            "Deploy it from its repository, npm run deploy, or deploy the recorded deployment again: dotdo rollback.".to_owned(),
        ),
        Change::Rollback {
            with_secrets: true, ..
        }
        | Change::PutSecret { .. }
        | Change::DeleteSecret { .. }
        | Change::ChangeSecrets { .. } => (
            format!("The secrets of {target} cannot be changed through this API, which depends on them."),
            format!(
                "With your own Cloudflare login, in the repository of the platform: npx wrangler secret put NAME --name {}.",
                target.worker
            ),
        ),
        Change::Delete => (
            format!("{target} is a Worker of the platform, and cannot be deleted through this API."),
            "Delete it in the dashboard of Cloudflare.".to_owned(),
        ),
        Change::Import { .. }
        | Change::Promote { .. }
        | Change::Preview { .. }
        | Change::SetTags
        | Change::AssetSession { .. } => (
            format!(
                "{target} is a Worker of the platform, which can only be deployed and rolled back through this API."
            ),
            "Deploy it from its repository: npm run deploy.".to_owned(),
        ),
    };
    Some(Problem::new(Code::AccountWorkerRefused, detail, fix))
}
