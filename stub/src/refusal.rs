//! Refusals, with the status and the JSON that vLLM 0.25.1 gives.

use serde_json::{Value, json};

/// A reply that is not what was asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) body: Value,
    /// The one method of the route, where another was used.
    pub(crate) allow: Option<&'static str>,
}

impl Refusal {
    fn error(status: u16, kind: &str, param: Option<&str>, message: &str) -> Self {
        let error = json!({"message": message, "type": kind, "param": param, "code": status});
        Self { status, body: json!({ "error": error }), allow: None }
    }

    /// The body does not have the form of a request.
    pub(crate) fn malformed(param: Option<&str>, message: &str) -> Self {
        Self::error(400, "Bad Request", param, &format!("1 validation error:\n  {message}"))
    }

    /// The request has the right form but asks for something impossible.
    pub(crate) fn bad_request(param: Option<&str>, message: &str) -> Self {
        Self::error(400, "BadRequestError", param, message)
    }

    /// No such model.
    pub(crate) fn no_model(name: &str) -> Self {
        let message = format!("The model `{name}` does not exist.");
        Self::error(404, "NotFoundError", Some("model"), &message)
    }

    /// The server's own fault.
    pub(crate) fn internal(message: &str) -> Self {
        Self::error(500, "InternalServerError", None, message)
    }

    /// Not ready.
    pub(crate) fn unavailable() -> Self {
        Self::error(503, "ServiceUnavailableError", None, "The model is still loading.")
    }

    /// A refusal by the HTTP layer, whose body is a bare detail.
    pub(crate) fn plain(status: u16, detail: &str) -> Self {
        Self { status, body: json!({ "detail": detail }), allow: None }
    }

    /// The route exists, but not for this method.
    pub(crate) fn method(allow: &'static str) -> Self {
        Self { allow: Some(allow), ..Self::plain(405, "Method Not Allowed") }
    }
}
