//! The actions in a repository: those below `.github/actions`, and those that a step uses by a path.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::document::Node;

/// The names of the file that describes an action.
/// <https://docs.github.com/en/actions/reference/workflows-and-actions/metadata-syntax>
const FILES: [&str; 2] = ["action.yml", "action.yaml"];

/// How deep folders are searched for actions, so that a link to a folder above does not matter.
const DEPTH: usize = 8;

/// The files of the actions below `.github/actions`, sorted.
pub fn below_github(repository: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    search(&repository.join(".github/actions"), DEPTH, &mut found);
    found
}

fn search(folder: &Path, depth: usize, found: &mut BTreeSet<PathBuf>) {
    found.extend(file_in(folder));
    let Some(depth) = depth.checked_sub(1) else {
        return;
    };
    // A repository without such a folder has no such actions.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && entry.file_name() != "node_modules" {
            search(&path, depth, found);
        }
    }
}

fn file_in(folder: &Path) -> Option<PathBuf> {
    FILES
        .into_iter()
        .map(|name| folder.join(name))
        .find(|file| file.is_file())
}

/// The files of the actions that the steps of a workflow or of an action use by a path in the repository.
pub fn used_by(repository: &Path, document: &Node) -> Vec<PathBuf> {
    let jobs = document.get("jobs").map(Node::entries).unwrap_or_default();
    let steps = jobs
        .iter()
        .flat_map(|(_, job)| job.get("steps").map(Node::elements).unwrap_or_default())
        .chain(steps_of(document));
    steps
        .filter_map(|step| {
            let path = Path::new(step.get("uses")?.text().strip_prefix("./")?);
            let is_below = path.components().all(|part| matches!(part, Component::Normal(_)));
            if is_below {
                file_in(&repository.join(path))
            } else {
                None
            }
        })
        .collect()
}

/// The steps of a composite action; none for a workflow or another action.
pub fn steps_of(document: &Node) -> &[Node] {
    document
        .get("runs")
        .and_then(|runs| runs.get("steps"))
        .map(Node::elements)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::super::{read, report_of};

    /// A composite action with these steps.
    fn composite(steps: &str) -> String {
        format!(
            "name: x\ninputs:\n  token: {{ required: true }}\nruns:\n  using: composite\n  steps:\n{steps}"
        )
    }

    #[test]
    fn the_actions_of_a_repository_are_read_and_left_for_a_person() {
        let folder = TempDir::new().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write(
            ".github/workflows/a.yml",
            "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - uses: ./tools/deploy\n      - uses: ./../outside\n      - uses: \
             ./.github/workflows/a.yml\n",
        );
        write(
            ".github/actions/group/publish/action.yaml",
            &composite(
                "    - uses: cloudflare/wrangler-action@v3\n      with:\n        apiToken: ${{ inputs.token }}\n        accountId: abc\n",
            ),
        );
        write(
            "tools/deploy/action.yml",
            &composite("    - uses: ./tools/inner/\n"),
        );
        write(
            "tools/inner/action.yml",
            &composite(
                "    - run: npx wrangler deploy\n      shell: bash\n      env:\n        CLOUDFLARE_API_TOKEN: ${{ inputs.token }}\n    \
                 - uses: cloudflare/wrangler-action@v3\n      with: { apiToken: \"${{ env.CLOUDFLARE_API_TOKEN }}\" }\n",
            ),
        );
        write(
            ".github/actions/script/action.yml",
            "name: x\nruns: { using: node24, main: index.js }\n",
        );
        let before = std::fs::read_to_string(folder.path().join("tools/inner/action.yml")).unwrap();
        let mut read = read(folder.path()).unwrap();
        let found: Vec<String> = read
            .iter()
            .flat_map(|document| {
                let file = document.file.strip_prefix(folder.path()).unwrap().display();
                let places = document.uses.iter();
                places.map(move |found| format!("{file}:{} {}", found.line, found.place))
            })
            .collect();
        assert_eq!(
            found,
            [
                ".github/actions/group/publish/action.yaml:9 runs.steps[0].with.apiToken",
                "tools/inner/action.yml:10 runs.steps[0].env.CLOUDFLARE_API_TOKEN",
            ]
        );
        let report = report_of(&mut read, Some("https://deploy.example.com"));
        assert_eq!((report.fixed.len(), report.remaining.len()), (0, 2));
        assert!(report.remaining[1].contains("before each step that uses the action"));
        let after = std::fs::read_to_string(folder.path().join("tools/inner/action.yml")).unwrap();
        assert_eq!(after, before);
    }
}
