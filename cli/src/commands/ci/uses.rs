//! Where a workflow, or a composite action, uses a credential of Cloudflare.

use std::collections::BTreeSet;
use std::ops::Range;

use super::actions::steps_of;
use super::document::{Node, line_of};

/// The variables with which wrangler authenticates.
const CREDENTIALS: [&str; 6] = [
    "CLOUDFLARE_API_TOKEN",
    "CF_API_TOKEN",
    "CLOUDFLARE_API_KEY",
    "CF_API_KEY",
    "CLOUDFLARE_EMAIL",
    "CF_EMAIL",
];

/// The variables with the id of the account. Their use is a finding only if a secret has it.
const ACCOUNTS: [&str; 2] = ["CLOUDFLARE_ACCOUNT_ID", "CF_ACCOUNT_ID"];

/// The action of Cloudflare that runs wrangler.
const WRANGLER_ACTION: &str = "cloudflare/wrangler-action@";

/// The inputs of that action with a credential.
const INPUTS: [&str; 3] = ["apiToken", "apiKey", "email"];

/// A use of a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The line, from 1.
    pub line: usize,
    /// The path of the value, such as `jobs.deploy.steps[2].env.CLOUDFLARE_API_TOKEN`.
    pub place: String,
    /// The secrets in the value.
    pub secrets: BTreeSet<String>,
    /// The job; `None` for a variable of the whole workflow, or in an action.
    pub job: Option<String>,
    /// What replaces it.
    pub kind: Kind,
    /// The bytes of the value.
    pub value: Range<usize>,
}

/// What replaces a use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A variable, or an input, that is no longer needed.
    Remove,
    /// The input `apiToken` of Cloudflare's action. Without it, the action clears the variable.
    Token,
    /// The input `accountId` of Cloudflare's action.
    Account,
    /// Something that a person must replace.
    ByHand,
}

/// Finds every use, in the order of the file.
pub fn find(text: &str, workflow: &Node) -> Vec<Use> {
    let mut finder = Finder {
        text,
        uses: Vec::new(),
    };
    finder.variables(workflow, "", None);
    for (name, job) in workflow.get("jobs").map(Node::entries).unwrap_or_default() {
        let place = format!("jobs.{}.", name.text());
        finder.variables(job, &place, Some(name.text()));
        for (number, step) in job
            .get("steps")
            .map(Node::elements)
            .unwrap_or_default()
            .iter()
            .enumerate()
        {
            let place = format!("{place}steps[{number}].");
            finder.variables(step, &place, Some(name.text()));
            if is_wrangler_action(step) {
                finder.inputs(step, &place, name.text());
            }
        }
        finder.others(job, &place, name.text());
    }
    for (number, step) in steps_of(workflow).iter().enumerate() {
        finder.action_step(step, &format!("runs.steps[{number}]."));
    }
    finder.uses.sort_by_key(|found| found.value.start);
    finder.uses
}

/// Whether a step runs Cloudflare's action.
pub fn is_wrangler_action(step: &Node) -> bool {
    step.get("uses")
        .is_some_and(|uses| uses.text().starts_with(WRANGLER_ACTION))
}

struct Finder<'a> {
    text: &'a str,
    uses: Vec<Use>,
}

impl Finder<'_> {
    fn variables(&mut self, scope: &Node, place: &str, job: Option<&str>) {
        for (name, value) in scope.get("env").map(Node::entries).unwrap_or_default() {
            let has_secret = !secrets_in(value.text()).is_empty();
            if CREDENTIALS.contains(&name.text()) || (ACCOUNTS.contains(&name.text()) && has_secret) {
                self.add(value, format!("{place}env.{}", name.text()), job, Kind::Remove);
            }
        }
    }

    fn inputs(&mut self, step: &Node, place: &str, job: &str) {
        for (name, value) in step.get("with").map(Node::entries).unwrap_or_default() {
            let kind = match name.text() {
                "apiToken" => Kind::Token,
                "accountId" => Kind::Account,
                "apiKey" | "email" => Kind::Remove,
                _ => continue,
            };
            if !secrets_in(value.text()).is_empty() {
                self.add(value, format!("{place}with.{}", name.text()), Some(job), kind);
            }
        }
    }

    /// A step of a composite action, which gets the credential as an input: it has no secrets. A person must change it together with
    /// the jobs that use the action.
    fn action_step(&mut self, step: &Node, place: &str) {
        let is_wrangler = is_wrangler_action(step);
        for (section, names) in [("env", &CREDENTIALS[..]), ("with", &INPUTS[..])] {
            if section == "with" && !is_wrangler {
                continue;
            }
            for (name, value) in step.get(section).map(Node::entries).unwrap_or_default() {
                // What the step of `actions/login` set is not a credential of Cloudflare.
                if names.contains(&name.text()) && !value.text().contains("env.CLOUDFLARE_API_TOKEN") {
                    let place = format!("{place}{section}.{}", name.text());
                    self.add(value, place, None, Kind::ByHand);
                }
            }
        }
    }

    /// Secrets of Cloudflare in any other value of a job, such as a script or an input of another action.
    fn others(&mut self, job: &Node, place: &str, name: &str) {
        let mut found = Vec::new();
        job.each_text(&mut |value| {
            let is_new = self.uses.iter().all(|other| other.value != value.range);
            if is_new
                && secrets_in(value.text())
                    .iter()
                    .any(|secret| is_of_cloudflare(secret))
            {
                found.push(value);
            }
        });
        for value in found {
            self.add(
                value,
                place.trim_end_matches('.').to_owned(),
                Some(name),
                Kind::ByHand,
            );
        }
    }

    fn add(&mut self, value: &Node, place: String, job: Option<&str>, kind: Kind) {
        self.uses.push(Use {
            line: line_of(self.text, value.range.start),
            place,
            secrets: secrets_in(value.text()),
            job: job.map(str::to_owned),
            kind,
            value: value.range.clone(),
        });
    }
}

fn is_of_cloudflare(secret: &str) -> bool {
    let secret = secret.to_ascii_uppercase();
    secret.contains("CLOUDFLARE") || secret.starts_with("CF_")
}

/// The secrets in the expressions of a text: `secrets.NAME` and `secrets['NAME']`.
/// <https://docs.github.com/en/actions/reference/workflows-and-actions/contexts#secrets-context>
pub fn secrets_in(text: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found = BTreeSet::new();
    for expression in text.split("${{").skip(1) {
        let expression = expression.split("}}").next().unwrap_or_default();
        for reference in expression.split("secrets").skip(1) {
            let name = reference.trim_start_matches(['.', '[', '\'', ' ']);
            let end = name.find(|c| !is_name(c)).unwrap_or(name.len());
            let name = name.get(..end).unwrap_or_default();
            if reference.starts_with(['.', '[']) && !name.is_empty() {
                found.insert(name.to_owned());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::document::parse;
    use super::*;

    fn found(text: &str) -> Vec<(usize, String, Kind)> {
        let uses = find(text, &parse(text).unwrap());
        uses.into_iter()
            .map(|found| (found.line, found.place, found.kind))
            .collect()
    }

    #[test]
    fn every_use_is_found_with_its_line() {
        let text = "\
on: push
env:
  CLOUDFLARE_API_TOKEN: ${{ secrets.DEPLOY }} # é
jobs:
  deploy:
    runs-on: ubuntu-latest
    env: { CLOUDFLARE_ACCOUNT_ID: abc, CF_API_TOKEN: literal }
    steps:
      - uses: cloudflare/wrangler-action@v3
        with:
          apiToken: ${{ secrets['CF_TOKEN'] }}
          accountId: ${{ vars.ACCOUNT }}
          secrets: OTHER
      - run: |
          curl -H 'Authorization: Bearer ${{ secrets.CLOUDFLARE_PURGE }}' https://example.com
      - uses: other/action@v1
        with: { token: \"${{ secrets.GITHUB_TOKEN }}\" }
  call:
    uses: ./.github/workflows/x.yml
    secrets:
      token: ${{ secrets.CLOUDFLARE_API_TOKEN }}
";
        assert_eq!(
            found(text),
            [
                (3, "env.CLOUDFLARE_API_TOKEN".to_owned(), Kind::Remove),
                (7, "jobs.deploy.env.CF_API_TOKEN".to_owned(), Kind::Remove),
                (11, "jobs.deploy.steps[0].with.apiToken".to_owned(), Kind::Token),
                (15, "jobs.deploy".to_owned(), Kind::ByHand),
                (21, "jobs.call".to_owned(), Kind::ByHand),
            ]
        );
    }

    #[test]
    fn secrets_are_read_only_in_expressions() {
        let names = |text: &str| secrets_in(text).into_iter().collect::<Vec<_>>();
        assert_eq!(
            names("secrets.A ${{ secrets.B || secrets['C'] }} secrets.D"),
            ["B", "C"]
        );
        assert_eq!(names("${{ toJSON(secrets) }}"), [""; 0]);
    }
}
