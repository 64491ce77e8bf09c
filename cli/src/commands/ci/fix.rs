//! Replaces the uses of a credential by `actions/login`. Everything else in the file stays as it is: comments, layout and line ends.

use std::collections::BTreeMap;

use super::document::{Node, parse};
use super::login_step::{NO_DEPLOY, login_step, step_of_deploy};
use super::permissions::permission;
use super::text::{Edit, Source, applied};
use super::uses::{Kind, Use, find};

/// A fixed workflow.
#[derive(Debug, PartialEq, Eq)]
pub struct Fixed {
    /// The new text.
    pub text: String,
    /// What a person must do, for each job whose uses stay as they are.
    pub remaining: Vec<String>,
    /// What a person must check, because the change may be too much or too little.
    pub notes: Vec<String>,
}

/// Fixes each job of a workflow, or leaves it as it is.
///
/// # Errors
/// If the new text is not YAML, or cannot be made.
pub fn fix(text: &str, workflow: &Node, api: &str) -> Result<Fixed, String> {
    let uses = find(text, workflow);
    let fixer = Fixer {
        source: Source(text),
        workflow,
    };
    let mut edits = Vec::new();
    let mut remaining = Vec::new();
    let mut notes = Vec::new();
    // The other jobs with a credential of the whole workflow.
    let mut without = Vec::new();
    let mut is_used = false;
    let mut by_job: BTreeMap<Option<&str>, Vec<&Use>> = BTreeMap::new();
    for found in &uses {
        by_job.entry(found.job.as_deref()).or_default().push(found);
    }
    let of_workflow = by_job.remove(&None).unwrap_or_default();
    for (name, job) in workflow.get("jobs").map(Node::entries).unwrap_or_default() {
        let own = by_job.remove(&Some(name.text())).unwrap_or_default();
        let inherits = !of_workflow.is_empty() && step_of_deploy(job).is_some();
        let name = name.text();
        if own.is_empty() && !inherits {
            if !of_workflow.is_empty() && job.get("steps").is_some() {
                without.push(format!(
                    "jobs.{name}: it does not have the credential any more: if one of its steps needs it, add the step of `actions/login`"
                ));
            }
            continue;
        }
        is_used |= inherits;
        match fixer.job(job, &own, api) {
            Ok(found) => {
                edits.extend(found);
                if fixer.limits_permissions(job) {
                    notes.push(format!(
                        "jobs.{name}: its GITHUB_TOKEN has only the permission `contents: read` now: add what its steps need"
                    ));
                }
            }
            Err(reason) => remaining.push(format!("jobs.{name}: {reason}")),
        }
    }
    if !of_workflow.is_empty() && !is_used {
        remaining.push(NO_DEPLOY.to_owned());
    }
    if remaining.is_empty() {
        match fixer.removals(workflow, &of_workflow) {
            Ok(found) => {
                edits.extend(found);
                notes.extend(without);
            }
            Err(reason) => remaining.push(reason),
        }
    }
    let text = applied(text, edits)?;
    parse(&text)?;
    Ok(Fixed {
        text,
        remaining,
        notes,
    })
}

struct Fixer<'a> {
    source: Source<'a>,
    workflow: &'a Node,
}

impl Fixer<'_> {
    /// The edits of a job, or why a person must make them.
    fn job(&self, job: &Node, uses: &[&Use], api: &str) -> Result<Vec<Edit>, String> {
        if uses.iter().any(|found| found.kind == Kind::ByHand) {
            if job.get("uses").is_some() {
                return Err("it passes the secret to another workflow: let that one use the step of `actions/login`, and remove the secret"
                    .to_owned());
            }
            return Err("a script or another action uses the secret: add the step of `actions/login`, and use its variable \
                        CLOUDFLARE_API_TOKEN"
                .to_owned());
        }
        let mut edits = Vec::new();
        for found in uses {
            let variable = match found.kind {
                Kind::Token => "CLOUDFLARE_API_TOKEN",
                Kind::Account => "CLOUDFLARE_ACCOUNT_ID",
                Kind::Remove | Kind::ByHand => continue,
            };
            // A block scalar ends at the beginning of the next key.
            let value = self.source.slice(found.value.clone()).trim_end();
            let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
            let quote = quote.map(String::from).unwrap_or_default();
            edits.push(Edit {
                range: found.value.start..found.value.start + value.len(),
                text: format!("{quote}${{{{ env.{variable} }}}}{quote}"),
            });
        }
        edits.extend(self.removals(job, uses)?);
        for step in job.get("steps").map(Node::elements).unwrap_or_default() {
            edits.extend(self.removals(step, uses)?);
        }
        edits.extend(login_step(self.source, job, uses, api)?);
        edits.extend(permission(self.source, self.workflow, job)?);
        Ok(edits)
    }

    /// Whether a job gets permissions that it did not have to name before, and uses the token that they limit.
    fn limits_permissions(&self, job: &Node) -> bool {
        let has_permissions = job
            .get("permissions")
            .or_else(|| self.workflow.get("permissions"));
        let mut uses_token = false;
        job.each_text(&mut |_, value| {
            let text = value.text().to_ascii_lowercase();
            uses_token |= text.contains("github.token") || text.contains("github_token");
        });
        has_permissions.is_none() && uses_token
    }

    /// Removes the entries of `env` and `with` that are uses, and `env` if nothing is left.
    fn removals(&self, scope: &Node, uses: &[&Use]) -> Result<Vec<Edit>, String> {
        let mut edits = Vec::new();
        for section in ["env", "with"] {
            let Some((key, mapping)) = scope.entry(section) else {
                continue;
            };
            let is_removed = |value: &Node| {
                let same = uses.iter().find(|found| found.value == value.range);
                same.is_some_and(|found| found.kind == Kind::Remove)
            };
            let entries = mapping.entries();
            let removed = entries.iter().filter(|(_, value)| is_removed(value)).count();
            if removed == 0 {
                continue;
            }
            if removed == entries.len() {
                let end = entries
                    .last()
                    .map_or(mapping.range.end, |(_, value)| value.range.end);
                edits.push(self.source.without_lines(key.range.start..end)?);
                continue;
            }
            for (key, value) in entries.iter().filter(|(_, value)| is_removed(value)) {
                edits.push(self.source.without_lines(key.range.start..value.range.end)?);
            }
        }
        Ok(edits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const API: &str = "https://deploy.example.com";

    fn fixed(text: &str) -> Fixed {
        fix(text, &parse(text).unwrap(), API).unwrap()
    }

    #[test]
    fn comments_and_layout_are_kept() {
        let before = "\
# A workflow — with a comment.
on: { push: { branches: [main] } }

permissions:
  contents: read   # to check out

env:
  NODE_ENV: production
  CLOUDFLARE_API_TOKEN: ${{ secrets.CLOUDFLARE_API_TOKEN }} # of the account
jobs:
  test:
    runs-on: ubuntu-latest
    steps: [{ run: npm test }]
  deploy:
    runs-on: ubuntu-latest
    env:
      CLOUDFLARE_ACCOUNT_ID: \"${{ secrets.CF_ACCOUNT }}\"
    steps:
      - uses: actions/checkout@v5
      - run: npm ci

      # Deploys.
      - name: Deploy
        uses: cloudflare/wrangler-action@v3
        with:
          apiToken: '${{ secrets.CLOUDFLARE_API_TOKEN }}'
          command: deploy --dispatch-namespace dotdo-production   # production
      - run: 'echo done'
";
        let after = "\
# A workflow — with a comment.
on: { push: { branches: [main] } }

permissions:
  id-token: write
  contents: read   # to check out

env:
  NODE_ENV: production
jobs:
  test:
    runs-on: ubuntu-latest
    steps: [{ run: npm test }]
  deploy:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
      - run: npm ci

      - uses: drivly/dispatch.do/actions/login@v1
        with: { api: https://deploy.example.com }
      # Deploys.
      - name: Deploy
        uses: cloudflare/wrangler-action@v3
        with:
          apiToken: '${{ env.CLOUDFLARE_API_TOKEN }}'
          command: deploy --dispatch-namespace dotdo-production   # production
      - run: 'echo done'
";
        let fixed_once = fixed(before);
        assert_eq!(fixed_once.remaining, [""; 0]);
        assert_eq!(fixed_once.text, after);
        assert_eq!(fixed(after).text, after, "a second run changes nothing");
        assert_eq!(find(after, &parse(after).unwrap()), []);
        let windows = fixed(&before.replace('\n', "\r\n"));
        assert_eq!(windows.text, after.replace('\n', "\r\n"));
    }

    #[test]
    fn block_scalars_keep_what_follows_them() {
        let text = "\
on: push
jobs:
  a:
    permissions: write-all
    steps:
      - uses: cloudflare/wrangler-action@v3
        with:
          apiToken: >-
            ${{ secrets.T }}

          accountId: |
            ${{ secrets.A }}
          command: deploy
";
        let step = "      - uses: drivly/dispatch.do/actions/login@v1\n        with: { api: https://deploy.example.com }\n";
        let after = text
            .replace("secrets.T", "env.CLOUDFLARE_API_TOKEN")
            .replace("secrets.A", "env.CLOUDFLARE_ACCOUNT_ID")
            .replace("    steps:\n", &format!("    steps:\n{step}"));
        assert_eq!(fixed(text).text, after);
    }

    #[test]
    fn what_a_person_must_check_is_noted() {
        let text = "\
on: push
env: { CF_API_TOKEN: \"${{ secrets.T }}\" }
jobs:
  a:
    steps:
      - run: wrangler deploy
      - run: gh release create v1
        env: { GH_TOKEN: \"${{ github.token }}\" }
  b:
    steps:
      - run: make publish
  c:
    uses: ./.github/workflows/c.yml
";
        let fixed = fixed(text);
        assert_eq!(fixed.remaining, [""; 0]);
        let [one, other] = fixed.notes.as_slice() else {
            panic!("{:?}", fixed.notes)
        };
        assert!(one.starts_with("jobs.a: its GITHUB_TOKEN"), "{one}");
        assert!(
            other.starts_with("jobs.b: it does not have the credential"),
            "{other}"
        );
    }

    #[test]
    fn an_anchor_that_is_still_used_is_an_error() {
        let text = "\
on: push
jobs:
  a:
    steps:
      - run: wrangler deploy
        env: &e
          CF_API_TOKEN: ${{ secrets.T }}
  b:
    steps:
      - run: wrangler deploy
        env: *e
";
        let error = fix(text, &parse(text).unwrap(), API).unwrap_err();
        assert!(error.contains("anchor"), "{error}");
    }

    #[test]
    fn an_alias_is_never_changed_twice() {
        let text = "\
on: push
env: &shared
  OTHER: 1
  CF_API_TOKEN: ${{ secrets.T }}
jobs:
  a:
    runs-on: x
    env: *shared
    steps:
      - run: wrangler deploy
  b:
    runs-on: x
    env: *shared
    steps:
      - run: wrangler deploy
";
        let fixed = fixed(text);
        assert_eq!(fixed.remaining, [""; 0]);
        assert!(
            fixed.text.contains("env: &shared\n  OTHER: 1\njobs:\n"),
            "{}",
            fixed.text
        );
        assert_eq!(fixed.text.matches("env: *shared").count(), 2, "{}", fixed.text);
    }

    #[test]
    fn what_cannot_be_changed_safely_is_left_for_a_person() {
        for (job, reason) in [
            (
                "steps:\n      - run: curl ${{ secrets.CLOUDFLARE_API_TOKEN }}",
                "a script or another action",
            ),
            (
                "env: { A: b, CF_API_TOKEN: t }\n    steps:\n      - run: wrangler deploy",
                "more than the credential",
            ),
            (
                "env:\n      CF_API_TOKEN: t\n    steps:\n      - run: make",
                "no step deploys",
            ),
            (
                "permissions: read-all\n    env:\n      CF_API_TOKEN: t\n    steps:\n      - run: wrangler deploy",
                "id-token: write",
            ),
            (
                "env:\n      CF_API_TOKEN: t\n    steps: [{ run: wrangler deploy }]",
                "one on each line",
            ),
            ("steps: []\nenv:\n  CF_API_TOKEN: t", "no step deploys"),
        ] {
            let text = format!("on: push\njobs:\n  a:\n    runs-on: x\n    {job}\n");
            let result = fixed(&text);
            assert_eq!(result.text, text, "{reason}");
            assert_eq!(result.notes, [""; 0], "{reason}");
            assert!(
                matches!(result.remaining.as_slice(), [one] if one.contains(reason)),
                "{:?}",
                result.remaining
            );
        }
    }
}
