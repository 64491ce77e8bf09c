#[cfg(not(target_arch = "wasm32"))]
use schemars::{Schema, SchemaGenerator};

use schemars::JsonSchema;

use super::Operation;

/// The longest body of most calls, in bytes.
pub const MAX_BODY: usize = 32 * 1024;

/// The longest body with the secrets of a Worker, in bytes.
pub const MAX_SECRETS: usize = 512 * 1024;

/// Generates the schema of a type. Only the OpenAPI document needs it, so the Worker does not contain the schemas.
#[cfg(not(target_arch = "wasm32"))]
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// One call of `/v1`: what the request line must be, who may send it, and what it leads to.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// The method. `HEAD` is served wherever `GET` is.
    pub method: &'static str,
    /// The path, with captures in braces: `/v1/tokens/{id}`.
    pub path: &'static str,
    /// What is done.
    pub operation: Operation,
    /// Whether it is served to anyone, without a credential.
    pub is_open: bool,
    /// Whether an open call reads a credential nevertheless, and answers an administrator with more.
    pub may_authenticate: bool,
    /// What body is read; nothing for a call without one.
    pub takes: Option<Taken>,
    /// The parameters that the query may have.
    pub parameters: &'static [&'static str],
    /// The status of the answer, unless there is a problem.
    pub status: u16,
    /// The media type of the answer.
    pub media_type: &'static str,
    /// The schema of the answer's type.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) answer: SchemaOf,
    /// The schema of the answer to a dry run, whose status is 200; `None` if it is the same.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) preview: Option<SchemaOf>,
}

/// The body that a call takes.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// The longest that is read, in bytes.
    pub longest: usize,
    /// Whether it may be left out.
    pub is_optional: bool,
    /// The schema of its type.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) schema: SchemaOf,
}

#[cfg_attr(
    target_arch = "wasm32",
    allow(
        clippy::extra_unused_type_parameters,
        reason = "the Worker does not contain the schemas"
    )
)]
impl Taken {
    const fn new<T: JsonSchema>(longest: usize, is_optional: bool) -> Self {
        Self {
            longest,
            is_optional,
            #[cfg(not(target_arch = "wasm32"))]
            schema: SchemaGenerator::subschema_for::<T>,
        }
    }
}

#[cfg_attr(
    target_arch = "wasm32",
    allow(
        clippy::extra_unused_type_parameters,
        reason = "the Worker does not contain the schemas"
    )
)]
impl Route {
    /// A call whose answer is a `T`, in JSON and with the status 200.
    pub(super) const fn new<T: JsonSchema>(
        method: &'static str,
        path: &'static str,
        operation: Operation,
    ) -> Self {
        Self {
            method,
            path,
            operation,
            is_open: false,
            may_authenticate: false,
            takes: None,
            parameters: &[],
            status: 200,
            media_type: "application/json",
            #[cfg(not(target_arch = "wasm32"))]
            answer: SchemaGenerator::subschema_for::<T>,
            #[cfg(not(target_arch = "wasm32"))]
            preview: None,
        }
    }

    /// A dry run is answered with a `T`, and with the status 200.
    #[cfg_attr(
        target_arch = "wasm32",
        allow(unused_mut, reason = "the Worker does not contain the schemas")
    )]
    pub(super) const fn previews<T: JsonSchema>(mut self) -> Self {
        #[cfg(not(target_arch = "wasm32"))]
        {
            self.preview = Some(SchemaGenerator::subschema_for::<T>);
        }
        self
    }

    pub(super) const fn open(mut self) -> Self {
        self.is_open = true;
        self
    }

    pub(super) const fn may_authenticate(mut self) -> Self {
        self.may_authenticate = true;
        self
    }

    pub(super) const fn created(mut self) -> Self {
        self.status = 201;
        self
    }

    pub(super) const fn media_type(mut self, media_type: &'static str) -> Self {
        self.media_type = media_type;
        self
    }

    /// The call takes a `T` in JSON.
    pub(super) const fn takes<T: JsonSchema>(mut self) -> Self {
        self.takes = Some(Taken::new::<T>(MAX_BODY, false));
        self
    }

    /// The call takes a `T` in JSON, or no body.
    pub(super) const fn may_take<T: JsonSchema>(mut self) -> Self {
        self.takes = Some(Taken::new::<T>(MAX_BODY, true));
        self
    }

    /// The call takes a `T` with the secrets of a Worker, of which there may be many.
    pub(super) const fn takes_secrets<T: JsonSchema>(mut self) -> Self {
        self.takes = Some(Taken::new::<T>(MAX_SECRETS, false));
        self
    }

    /// The call takes a policy, which may be longer than other bodies.
    pub(super) const fn takes_policy<T: JsonSchema>(mut self) -> Self {
        self.takes = Some(Taken::new::<T>(crate::policy::MAX_POLICY, false));
        self
    }

    pub(super) const fn with(mut self, parameters: &'static [&'static str]) -> Self {
        self.parameters = parameters;
        self
    }
}
