//! The body of an error response: a problem document for programs, a page for people, chosen by `Accept`.

use serde::Serialize;

use super::failure::Failure;
use super::page::error_page;

/// The form of an error response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Representation {
    /// A problem document (RFC 9457).
    Problem,
    /// An HTML page.
    Page,
}

/// A problem document with the extension members `code`, `fix` and `request_id`.
#[derive(Serialize)]
struct Problem<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: &'static str,
    fix: &'static str,
    request_id: &'a str,
}

/// How much a client prefers a media type (RFC 9110, section 12.5.1): the weight in thousandths, then the specificity of the
/// range that has this weight.
type Preference = (u16, u8);

impl Representation {
    /// What a client prefers, by its `Accept` header: the page only if it prefers HTML to JSON.
    #[must_use]
    pub fn preferred(accept: &str) -> Self {
        let mut page: Preference = (0, 0);
        let mut problem: Preference = (0, 0);
        for element in accept.split(',') {
            let (range, parameters) = element.split_once(';').unwrap_or((element, ""));
            let range = range.trim_ascii();
            let weight = weight(parameters);
            refine(&mut page, specificity(range, &["text/html"], "text/*"), weight);
            let json = ["application/problem+json", "application/json"];
            refine(&mut problem, specificity(range, &json, "application/*"), weight);
        }
        if page.0 > 0 && page > problem {
            Self::Page
        } else {
            Self::Problem
        }
    }

    /// The `Content-Type` of the response.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Problem => "application/problem+json",
            Self::Page => "text/html; charset=utf-8",
        }
    }

    /// The body of the response.
    #[must_use]
    pub fn body(self, failure: &Failure, request_id: &str) -> String {
        match self {
            Self::Problem => problem_document(failure, request_id),
            Self::Page => error_page(failure, request_id),
        }
    }
}

fn problem_document(failure: &Failure, request_id: &str) -> String {
    let code = failure.code;
    let problem = Problem {
        r#type: code.page(),
        title: code.title(),
        status: code.status(),
        detail: &failure.detail,
        code: code.name(),
        fix: code.fix(),
        request_id,
    };
    // A struct of texts and a number always serializes.
    serde_json::to_string(&problem).unwrap_or_default()
}

/// How specific a range is for the types: 3 for the name, 2 for `type/*`, 1 for `*/*`, 0 if it does not match.
fn specificity(range: &str, types: &[&str], group: &str) -> u8 {
    if types.iter().any(|name| range.eq_ignore_ascii_case(name)) {
        3
    } else if range.eq_ignore_ascii_case(group) {
        2
    } else {
        u8::from(range == "*/*")
    }
}

/// The most specific range decides; between equally specific ones, the greater weight.
fn refine(preference: &mut Preference, specificity: u8, weight: u16) {
    if specificity > 0 && (specificity, weight) > (preference.1, preference.0) {
        *preference = (weight, specificity);
    }
}

/// The parameter `q`, in thousandths. A malformed weight counts as 0, so that the type is not preferred by mistake.
fn weight(parameters: &str) -> u16 {
    let value = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim_ascii()
            .eq_ignore_ascii_case("q")
            .then(|| value.trim_ascii())
    });
    value.map_or(1000, |value| thousandths(value).unwrap_or(0))
}

/// `0`, `1`, `0.5`, `0.123`, `1.000`.
fn thousandths(value: &str) -> Option<u16> {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction: u16 = [fraction, "000"].concat().get(..3)?.parse().ok()?;
    match whole {
        "0" => Some(fraction),
        "1" if fraction == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::failure::Target;
    use super::*;

    #[test]
    fn a_problem_document_has_all_members_and_not_the_cause() {
        let failure = Failure::unavailable("secret \"cause\"".to_owned(), Target::default());
        let text = Representation::Problem.body(&failure, "8f-\"<AMS>");
        assert!(!text.contains("secret"));
        assert_eq!(
            serde_json::from_str::<Value>(&text).unwrap(),
            json!({
                "type": failure.code.page(),
                "title": failure.code.title(),
                "status": 503,
                "detail": failure.detail,
                "code": "DISPATCH_UNAVAILABLE",
                "fix": failure.code.fix(),
                "request_id": "8f-\"<AMS>",
            })
        );
    }

    #[test]
    fn programs_get_a_problem_document() {
        for accept in [
            "",
            "*/*",
            "application/json",
            "application/problem+json, text/html",
            "application/json, text/html",
            "application/json, text/html;q=0.9",
            "text/html;q=0.5, application/json;q=0.6",
            "text/html;q=0, */*",
            "text/html;q=0",
            "text/html;q=2",
            "text/html;q=0.1234",
            "text/html;q=x, */*;q=0.1",
            "text/plain",
            "image/avif,image/webp,*/*;q=0.8",
            "nonsense",
            ";;;,,,===",
        ] {
            assert_eq!(
                Representation::preferred(accept),
                Representation::Problem,
                "{accept}"
            );
        }
    }

    #[test]
    fn people_get_a_page() {
        for accept in [
            "text/html",
            "TEXT/HTML",
            "text/*",
            "text/html, */*",
            "text/html;level=1;q=0.4, application/json; Q=0.3",
            "application/json;q=0.001, text/html ; q = 0.002",
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
        ] {
            assert_eq!(
                Representation::preferred(accept),
                Representation::Page,
                "{accept}"
            );
        }
    }
}
