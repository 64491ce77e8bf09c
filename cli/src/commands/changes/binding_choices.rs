//! The variables and bindings of a deployment that is deployed to another Worker.

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};
use deploy_api::v1::types::Choice;
use serde_json::{Map, Value as Json, json};

/// The arguments about the values of variables and the ids of resources.
#[derive(Args, Debug)]
pub struct BindingArguments {
    /// The value of a variable that the target does not have, or gets another value of
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = pair)]
    variables: Vec<(String, String)>,
    /// A member of a binding, such as `KV.namespace_id=…`
    #[arg(long = "bind", value_name = "NAME.MEMBER=VALUE", value_parser = member)]
    bindings: Vec<(String, String, String)>,
    /// Which values other variables get; default: keep
    #[arg(long = "variables", value_name = "CHOICE")]
    choice_of_variables: Option<Values>,
    /// Which ids other bindings get; default: keep
    #[arg(long = "resources", value_name = "CHOICE")]
    choice_of_resources: Option<Values>,
}

impl BindingArguments {
    /// The choice for variables, if one was made.
    pub fn choice_of_variables(&self) -> Option<Choice> {
        self.choice_of_variables.map(Choice::from)
    }

    /// The choice for resources, if one was made.
    pub fn choice_of_resources(&self) -> Option<Choice> {
        self.choice_of_resources.map(Choice::from)
    }

    /// The values of single variables, by name.
    pub fn values(&self) -> BTreeMap<String, Json> {
        let variables = self.variables.iter();
        variables
            .map(|(name, value)| (name.clone(), json!(value)))
            .collect()
    }

    /// The members of single bindings, by name.
    pub fn bindings(&self) -> BTreeMap<String, Map<String, Json>> {
        let mut bindings: BTreeMap<String, Map<String, Json>> = BTreeMap::new();
        for (name, member, value) in &self.bindings {
            bindings
                .entry(name.clone())
                .or_default()
                .insert(member.clone(), json!(value));
        }
        bindings
    }
}

/// Which values the target gets.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Values {
    /// Those of the target; a deployment with others is refused
    Keep,
    /// Those of the target, and those of the source that it does not have
    CopyNew,
    /// Those of the source
    Copy,
}

impl From<Values> for Choice {
    fn from(values: Values) -> Self {
        match values {
            Values::Keep => Self::Keep,
            Values::CopyNew => Self::CopyNew,
            Values::Copy => Self::Copy,
        }
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn member(text: &str) -> Result<(String, String, String), String> {
    let (name, value) = pair(text).map_err(|_| "write NAME.MEMBER=VALUE")?;
    let (name, member) = name.split_once('.').ok_or("write NAME.MEMBER=VALUE")?;
    Ok((name.to_owned(), member.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_bindings_are_read() {
        assert_eq!(pair("A=b=c").unwrap(), ("A".to_owned(), "b=c".to_owned()));
        let read = member("KV.namespace_id=1=2").unwrap();
        assert_eq!(
            read,
            ("KV".to_owned(), "namespace_id".to_owned(), "1=2".to_owned())
        );
        for text in ["KV", "KV=1", "KV.id"] {
            assert!(member(text).is_err(), "{text}");
        }
    }
}
