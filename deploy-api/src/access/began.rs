use super::{Access, Allowed};
use crate::identity::{Caller, Scope};
use crate::sql::{Sql, SqlError};
use crate::store::audit_log;

impl<S: Sql> Access<'_, S> {
    /// Who began something and under which rule, as its intent says: for what goes on record in their name after their
    /// request, or without their token. The caller is bound to nothing, so that the policy allows them no more by it.
    ///
    /// # Errors
    /// When the database fails, or there is no such intent.
    pub fn began(&self, intent: u64) -> Result<(Caller, Allowed), SqlError> {
        let unreadable = |reason: &str| SqlError::Content {
            what: "intent",
            reason: reason.to_owned(),
        };
        let link = audit_log::get(self.sql, intent)?.ok_or_else(|| unreadable("it is not in the log"))?;
        let member = |path: &str| link.entry.pointer(path).cloned().unwrap_or_default();
        let caller = Caller {
            identity: serde_json::from_value(member("/identity"))
                .map_err(|_| unreadable("it names no identity"))?,
            token: serde_json::from_value(member("/token")).ok(),
            scope: Scope::Grants(Vec::new()),
        };
        let allowed = Allowed {
            rule: serde_json::from_value(member("/authority/rule"))
                .map_err(|_| unreadable("it names no rule"))?,
            policy_version: member("/authority/policy_version")
                .as_u64()
                .ok_or_else(|| unreadable("it names no version of the policy"))?,
        };
        Ok((caller, allowed))
    }
}
