/// The form of an error's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Representation {
    /// A problem document (RFC 9457).
    Problem,
    /// A page for a person.
    Page,
}

/// How much a client wants a media type (RFC 9110, section 12.5.1): first the weight, in thousandths; at the same
/// weight, how closely the range that gave it names the type.
type Preference = (u16, u8);

impl Representation {
    /// What a client prefers, by its `Accept` header: the page only where it asks for HTML more than for JSON.
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

    /// The `Content-Type` of the answer.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Problem => "application/problem+json",
            Self::Page => "text/html; charset=utf-8",
        }
    }
}

/// How closely a range names one of the types: 3 by name, 2 by `type/*`, 1 by `*/*`, 0 not at all.
fn specificity(range: &str, types: &[&str], group: &str) -> u8 {
    if types.iter().any(|name| range.eq_ignore_ascii_case(name)) {
        3
    } else if range.eq_ignore_ascii_case(group) {
        2
    } else {
        u8::from(range == "*/*")
    }
}

/// The closest range counts; between two as close, the heavier.
fn refine(preference: &mut Preference, specificity: u8, weight: u16) {
    if specificity > 0 && (specificity, weight) > (preference.1, preference.0) {
        *preference = (weight, specificity);
    }
}

/// The parameter `q`, in thousandths. A malformed weight counts as none, so that the type is not preferred by mistake.
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
    use super::*;

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
