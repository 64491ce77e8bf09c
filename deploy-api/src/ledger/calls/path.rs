use dotdo_names::{Environment, Namespace, PLATFORM_WORKERS, WorkerName};

use crate::code::Code;
use crate::problem::Problem;
use crate::target::Target;

/// The namespace that a segment of a path names.
///
/// # Errors
/// `NAMESPACE_UNKNOWN`.
pub fn namespace(segment: &str) -> Result<Namespace, Problem> {
    Namespace::from_name(segment).ok_or_else(|| {
        let known = Namespace::ALL.map(Namespace::name).join(", ");
        Problem::new(
            Code::NamespaceUnknown,
            "The namespace of this call is not a namespace of the platform.",
            format!("The namespaces are {known}."),
        )
    })
}

/// The dispatch namespace that a segment of a path names.
///
/// # Errors
/// `NAMESPACE_UNKNOWN`, also for the account.
pub fn dispatch_namespace(segment: &str) -> Result<Environment, Problem> {
    namespace(segment)?.environment().ok_or_else(|| {
        Problem::new(
            Code::NamespaceUnknown,
            "The account is not a dispatch namespace.",
            "This call is only for dispatch namespaces. GET /v1/namespaces/account/workers lists the Workers of the platform.",
        )
    })
}

/// The Worker that two segments of a path name. It need not exist.
///
/// # Errors
/// `NAMESPACE_UNKNOWN`; `WORKER_UNKNOWN` for a name that no Worker can have, and in the account for one that is not of the platform.
pub fn target(namespace_segment: &str, worker_segment: &str) -> Result<Target, Problem> {
    let target = Target::new(namespace(namespace_segment)?, worker_name(worker_segment)?);
    if target.namespace.can_have(target.worker.as_str()) {
        return Ok(target);
    }
    Err(Problem::new(
        Code::WorkerUnknown,
        "The Worker of the account is not one of the platform's, and this API changes no others.",
        format!("In the account, the Workers are {}.", PLATFORM_WORKERS.join(", ")),
    ))
}

/// The Worker that a segment of a path names. It need not exist.
///
/// # Errors
/// `WORKER_UNKNOWN` for a name that no Worker can have.
pub fn worker_name(segment: &str) -> Result<WorkerName, Problem> {
    WorkerName::parse(segment).map_err(|reason| {
        Problem::new(
            Code::WorkerUnknown,
            format!("The name is not a valid Worker name: {reason}."),
            "Write the Worker's name as its wrangler configuration has it.",
        )
    })
}
