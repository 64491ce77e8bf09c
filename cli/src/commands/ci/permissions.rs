//! The permission of a job to get an OIDC token.

use super::document::Node;
use super::text::{Edit, Source};

/// Adds `id-token: write` to the permissions that are in force for a job. `None` if it has it already.
///
/// # Errors
/// Why a person must add it.
pub fn permission(source: Source<'_>, workflow: &Node, job: &Node) -> Result<Option<Edit>, String> {
    let Some((key, permissions)) = job.entry("permissions").or_else(|| workflow.entry("permissions")) else {
        let (first, _) = job.entries().first().ok_or("the job is empty")?;
        let start = source.line_start(first.range.start);
        let indentation = source.slice(start..first.range.start);
        return Ok(Some(Edit {
            range: start..start,
            text: format!(
                "{indentation}permissions: {{ contents: read, id-token: write }}{}",
                source.line_break()
            ),
        }));
    };
    if permissions.text() == "write-all"
        || permissions
            .get("id-token")
            .is_some_and(|value| value.text() == "write")
    {
        return Ok(None);
    }
    if let Some(value) = permissions.get("id-token") {
        return Ok(Some(Edit {
            range: value.range.clone(),
            text: "write".to_owned(),
        }));
    }
    let Some((first, _)) = permissions.entries().first() else {
        return Err("add `id-token: write` to its permissions yourself".to_owned());
    };
    let before = source.slice(key.range.start..first.range.start);
    Ok(Some(if before.trim_end().ends_with('{') {
        Edit {
            range: first.range.start..first.range.start,
            text: "id-token: write, ".to_owned(),
        }
    } else {
        let start = source.line_start(first.range.start);
        let indentation = source.slice(start..first.range.start);
        Edit {
            range: start..start,
            text: format!("{indentation}id-token: write{}", source.line_break()),
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::super::document::parse;
    use super::super::fix::{Fixed, fix};

    fn fixed(text: &str) -> Fixed {
        fix(text, &parse(text).unwrap(), "https://deploy.example.com").unwrap()
    }

    #[test]
    fn several_jobs_share_the_permissions_of_the_workflow() {
        let job = "    env:\n      CF_API_TOKEN: ${{ secrets.T }}\n    runs-on: x\n    steps:\n      - run: wrangler deploy\n";
        let text = fixed(&format!(
            "on: push\npermissions:\n  contents: read\njobs:\n  a:\n{job}  b:\n{job}"
        ))
        .text;
        assert_eq!(text.matches("id-token: write").count(), 1, "{text}");
        assert_eq!(text.matches("actions/login@v1").count(), 2, "{text}");
        // The permission is added where the removed lines began.
        let text = fixed(&format!("on: push\njobs:\n  a:\n{job}")).text;
        assert!(
            text.contains("  a:\n    permissions: { contents: read, id-token: write }\n    runs-on: x\n"),
            "{text}"
        );
    }

    #[test]
    fn permissions_of_the_job_come_before_those_of_the_workflow() {
        let workflow = |permissions: &str| {
            format!(
                "on: push\npermissions: read-all\njobs:\n  a:\n    {permissions}\n    runs-on: x\n    steps:\n      - run: wrangler deploy\n        \
                 env:\n          CLOUDFLARE_API_TOKEN: ${{{{ secrets.T }}}}\n"
            )
        };
        for (before, after) in [
            (
                "permissions: { contents: read }",
                "permissions: { id-token: write, contents: read }",
            ),
            (
                "permissions: { id-token: none }",
                "permissions: { id-token: write }",
            ),
            (
                "permissions: {\n      contents: read\n    }",
                "permissions: {\n      id-token: write, contents: read\n    }",
            ),
            ("permissions: write-all", "permissions: write-all"),
        ] {
            let result = fixed(&workflow(before));
            assert!(result.text.contains(&format!("    {after}\n")), "{}", result.text);
            assert!(
                !result.text.contains("secrets.T") && !result.text.contains("env:"),
                "{}",
                result.text
            );
        }
        let without = workflow("name: A").replace("permissions: read-all\n", "");
        let text = fixed(&without).text;
        assert!(
            text.contains("  a:\n    permissions: { contents: read, id-token: write }\n    name: A\n"),
            "{text}"
        );
    }
}
