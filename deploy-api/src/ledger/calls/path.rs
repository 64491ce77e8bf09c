use dotdo_names::{Environment, WorkerName};

use crate::code::Code;
use crate::problem::Problem;
use crate::target::Target;

/// The namespace that a segment of a path names.
///
/// # Errors
/// `NAMESPACE_UNKNOWN`.
pub fn namespace(segment: &str) -> Result<Environment, Problem> {
    Environment::from_namespace(segment).ok_or_else(|| {
        let known = Environment::ALL.map(Environment::namespace).join(", ");
        Problem::new(
            Code::NamespaceUnknown,
            "The namespace of this call is not a namespace of the platform.",
            format!("The namespaces are {known}."),
        )
    })
}

/// The Worker that two segments of a path name. It need not exist.
///
/// # Errors
/// `NAMESPACE_UNKNOWN`; `WORKER_UNKNOWN` for a name that no Worker can have.
pub fn target(namespace_segment: &str, worker_segment: &str) -> Result<Target, Problem> {
    Ok(Target {
        environment: namespace(namespace_segment)?,
        worker: worker_name(worker_segment)?,
    })
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
