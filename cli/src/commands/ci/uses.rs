//! Where a workflow, or a composite action, uses a credential of Cloudflare.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;

use super::actions::steps_of;
use super::document::{Lines, Node};
use super::expressions::secrets_in;

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

/// The owner of Cloudflare's actions. Names of actions have any case.
const CLOUDFLARE: &str = "cloudflare/";

/// The action of Cloudflare that runs wrangler.
const WRANGLER_ACTION: &str = "cloudflare/wrangler-action@";

/// The inputs of Cloudflare's actions with a credential. Names of inputs have any case.
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
        lines: Lines::of(text),
        uses: Vec::new(),
        found: HashSet::new(),
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
            } else if uses_action(step, CLOUDFLARE) {
                finder.inputs_by_hand(step, &place, name.text());
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

/// Whether a step runs the action of Cloudflare for wrangler.
pub fn is_wrangler_action(step: &Node) -> bool {
    uses_action(step, WRANGLER_ACTION)
}

fn uses_action(step: &Node, prefix: &str) -> bool {
    let action = step.get("uses").map(Node::text).unwrap_or_default();
    action
        .get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

struct Finder {
    lines: Lines,
    uses: Vec<Use>,
    /// The bytes of the values of the uses.
    found: HashSet<Range<usize>>,
}

impl Finder {
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
            let kind = match name.text().to_ascii_lowercase().as_str() {
                "apitoken" => Kind::Token,
                "accountid" => Kind::Account,
                "apikey" | "email" => Kind::Remove,
                _ => continue,
            };
            // Another variable has the token of Cloudflare, or the text is the token itself.
            let is_other_token = kind == Kind::Token
                && !["env.CLOUDFLARE_API_TOKEN", "steps.", "inputs."]
                    .iter()
                    .any(|source| value.text().contains(source));
            if is_other_token || !secrets_in(value.text()).is_empty() {
                self.add(value, format!("{place}with.{}", name.text()), Some(job), kind);
            }
        }
    }

    /// The credentials of an action of Cloudflare that does not run wrangler.
    fn inputs_by_hand(&mut self, step: &Node, place: &str, job: &str) {
        for (name, value) in step.get("with").map(Node::entries).unwrap_or_default() {
            if is_input(name.text()) && !secrets_in(value.text()).is_empty() {
                let place = format!("{place}with.{}", name.text());
                self.add(value, place, Some(job), Kind::ByHand);
            }
        }
    }

    /// A step of a composite action, which gets the credential as an input: it has no secrets. A person must change it together with
    /// the jobs that use the action.
    fn action_step(&mut self, step: &Node, place: &str) {
        let is_wrangler = is_wrangler_action(step);
        for section in ["env", "with"] {
            if section == "with" && !is_wrangler {
                continue;
            }
            for (name, value) in step.get(section).map(Node::entries).unwrap_or_default() {
                let is_credential = match section {
                    "env" => CREDENTIALS.contains(&name.text()),
                    _ => is_input(name.text()),
                };
                // What the step of `actions/login` set is not a credential of Cloudflare.
                if is_credential && !value.text().contains("env.CLOUDFLARE_API_TOKEN") {
                    let place = format!("{place}{section}.{}", name.text());
                    self.add(value, place, None, Kind::ByHand);
                }
            }
        }
    }

    /// Credentials in any other value of a job, such as a script, an input of another action or the variables of a container: secrets of
    /// Cloudflare by their name, and secrets of any name in a value that is, or sets, one of the variables.
    fn others(&mut self, job: &Node, place: &str, name: &str) {
        let mut found = Vec::new();
        job.each_text(&mut |key, value| {
            if self.found.contains(&value.range) {
                return;
            }
            let secrets = secrets_in(value.text());
            let is_variable = CREDENTIALS
                .iter()
                .any(|variable| key == *variable || has_word(value.text(), variable));
            if secrets.names.iter().any(|secret| is_of_cloudflare(secret))
                || (is_variable && !secrets.is_empty())
            {
                found.push(value);
            }
        });
        for value in found {
            let place = place.trim_end_matches('.').to_owned();
            self.add(value, place, Some(name), Kind::ByHand);
        }
    }

    fn add(&mut self, value: &Node, place: String, job: Option<&str>, kind: Kind) {
        self.found.insert(value.range.clone());
        self.uses.push(Use {
            line: self.lines.of_byte(value.range.start),
            place,
            secrets: secrets_in(value.text()).names,
            job: job.map(str::to_owned),
            kind,
            value: value.range.clone(),
        });
    }
}

fn is_input(name: &str) -> bool {
    INPUTS.iter().any(|input| input.eq_ignore_ascii_case(name))
}

/// `secret` is in capitals.
fn is_of_cloudflare(secret: &str) -> bool {
    secret.contains("CLOUDFLARE") || secret.starts_with("CF_")
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .any(|found| found == word)
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
    fn credentials_are_found_under_other_names_and_in_other_places() {
        let text = "\
jobs:
  a:
    container:
      image: node
      env:
        CLOUDFLARE_API_TOKEN: ${{ secrets.T }}
    steps:
      - run: echo \"CF_API_TOKEN=${{ secrets.T }}\" >> \"$GITHUB_ENV\"
      - uses: Cloudflare/Wrangler-Action@v3
        with:
          apitoken: ${{ env.OTHER }}
          accountID: ${{ secrets[matrix.account] }}
      - uses: cloudflare/pages-action@v1
        with: { apiToken: \"${{ secrets.T }}\" }
      - uses: cloudflare/wrangler-action@v3
        with: { apiToken: \"${{ env.CLOUDFLARE_API_TOKEN }}\" }
      - run: echo $CLOUDFLARE_API_TOKEN
      - run: echo NOT_CF_API_TOKEN=${{ secrets.OTHER }} ${{ env.CLOUDFLARE_X }}
      - uses: other/action@v1
        with: { apiToken: \"${{ secrets.T }}\" }
";
        assert_eq!(
            found(text),
            [
                (6, "jobs.a".to_owned(), Kind::ByHand),
                (8, "jobs.a".to_owned(), Kind::ByHand),
                (11, "jobs.a.steps[1].with.apitoken".to_owned(), Kind::Token),
                (12, "jobs.a.steps[1].with.accountID".to_owned(), Kind::Account),
                (14, "jobs.a.steps[2].with.apiToken".to_owned(), Kind::ByHand),
            ]
        );
    }
}
