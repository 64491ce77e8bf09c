//! The verification of the whole audit log.

use deploy_api::audit::{Broken, Verified};
use deploy_api::sql::Sql;
use deploy_api::store::audit_batch;

/// Verifies every entry that is not archived, step by step.
pub fn verify(sql: &impl Sql) -> Result<Verified, Broken> {
    let mut from = None;
    loop {
        let step = audit_batch::verify_step(sql, from).unwrap()?;
        if step.is_last {
            return Ok(Verified {
                size: step.head.size,
                head: step.head.hash,
            });
        }
        assert!(
            from.is_none_or(|from| from.size < step.head.size),
            "a step makes progress"
        );
        from = Some(step.head);
    }
}
