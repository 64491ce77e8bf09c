use crate::code::Code;
use crate::problem::Problem;

/// The parameters of a call's query, decoded.
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads a query.
    ///
    /// # Errors
    /// `PARAMETER_INVALID` for an invalid escape, or a parameter that occurs twice.
    pub fn parse(query: &str) -> Result<Self, Problem> {
        Self::once(pairs(query)?)
    }

    /// Reads a query in which one parameter may occur several times. Returns the values of that parameter, and the other
    /// parameters.
    ///
    /// # Errors
    /// The errors of [`parse`](Self::parse).
    pub fn with_repeated(query: &str, repeated: &str) -> Result<(Vec<String>, Self), Problem> {
        let (found, others): (Vec<_>, Vec<_>) =
            pairs(query)?.into_iter().partition(|(name, _)| name == repeated);
        let values = found.into_iter().map(|(_, value)| value).collect();
        Ok((values, Self::once(others)?))
    }

    fn once(pairs: Vec<(String, String)>) -> Result<Self, Problem> {
        let mut parameters: Vec<(String, String)> = Vec::new();
        for (name, value) in pairs {
            if parameters.iter().any(|(given, _)| *given == name) {
                return Err(invalid("A parameter of the query occurs twice."));
            }
            parameters.push((name, value));
        }
        Ok(Self(parameters))
    }

    /// The values of the `known` parameters. Every parameter must be known.
    ///
    /// # Errors
    /// `PARAMETER_INVALID` for an unknown parameter: without it, the call could have another meaning.
    pub fn only(self, known: &[&'static str]) -> Result<Vec<(&'static str, String)>, Problem> {
        self.0
            .into_iter()
            .map(|(name, value)| {
                known
                    .iter()
                    .find(|known| **known == name)
                    .map(|known| (*known, value))
                    .ok_or_else(|| invalid("The query has a parameter that this call does not support."))
            })
            .collect()
    }
}

fn pairs(query: &str) -> Result<Vec<(String, String)>, Problem> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            decode(name)
                .zip(decode(value))
                .ok_or_else(|| invalid("The query has an invalid escape."))
        })
        .collect()
}

fn invalid(detail: &str) -> Problem {
    Problem::new(
        Code::ParameterInvalid,
        detail,
        "Call with an unchanged wrangler; versions and gradual rollouts are not for Workers in a namespace.",
    )
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                let digits = std::str::from_utf8(&digits).ok()?;
                digits
                    .bytes()
                    .all(|digit| digit.is_ascii_hexdigit())
                    .then(|| u8::from_str_radix(digits, 16).ok())??
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_decoded_and_what_is_unknown_is_refused() {
        let parameters = Parameters::parse("name=a%2Db+c&x").unwrap();
        let expected = [("name", "a-b c".to_owned()), ("x", String::new())];
        let parameters = parameters.only(&["name", "x"]).unwrap();
        assert_eq!(parameters, expected);
        let (names, others) = Parameters::with_repeated("name=a&page=1&name=b", "name").unwrap();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(others.only(&["page"]).unwrap(), [("page", "1".to_owned())]);
        let parameters = Parameters::parse("x=1").unwrap();
        assert!(parameters.only(&["name"]).is_err());
        for bad in ["a=%", "a=%2", "a=%zz", "a=%+1", "a=1&a=2", "a=%ff"] {
            assert!(Parameters::parse(bad).is_err(), "{bad}");
        }
    }
}
