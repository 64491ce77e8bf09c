use super::failure::Failure;

const STYLE: &str = include_str!("page.css");

/// A failure as an HTML page. It is self-contained: no script, no font, no image.
#[must_use]
pub fn error_page(failure: &Failure, request_id: &str) -> String {
    let code = failure.code;
    let status = u32::from(code.status()).to_string();
    let page = code.page();
    [
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
        "<meta name=\"robots\" content=\"noindex\">\n<title>",
        code.title(),
        "</title>\n<style>\n",
        STYLE,
        "</style>\n</head>\n<body>\n<main>\n<p class=\"status\">",
        &status,
        "</p>\n<h1>",
        code.title(),
        "</h1>\n<p>",
        &with_code(&failure.detail),
        "</p>\n<p>",
        &escaped(code.fix()),
        "</p>\n<dl>\n<dt>Code</dt><dd><a href=\"",
        &escaped(&page),
        "\">",
        code.name(),
        "</a></dd>\n<dt>Request id</dt><dd>",
        &escaped(request_id),
        "</dd>\n</dl>\n</main>\n</body>\n</html>\n",
    ]
    .concat()
}

/// A detail as HTML: text between backticks becomes a `<code>` element.
fn with_code(text: &str) -> String {
    let mut html = String::new();
    for (number, part) in text.split('`').enumerate() {
        let part = escaped(part);
        if number % 2 == 0 {
            html.push_str(&part);
        } else {
            html.push_str("<code>");
            html.push_str(&part);
            html.push_str("</code>");
        }
    }
    html
}

/// Text, escaped for an element or a quoted attribute.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::super::code::Code;
    use super::super::failure::Target;
    use super::*;

    fn failure(code: Code, detail: &str) -> Failure {
        Failure {
            code,
            detail: detail.to_owned(),
            cause: "the cause".to_owned(),
            target: Target::default(),
        }
    }

    #[test]
    fn the_page_has_what_the_problem_document_has() {
        for code in Code::ALL {
            let page = error_page(&failure(code, "Exactly this."), "ray-1");
            for expected in [code.name(), code.title(), "Exactly this.", "ray-1", &code.page()] {
                assert!(page.contains(expected), "{expected}");
            }
            assert!(page.contains(&format!(">{}<", code.status())));
            assert!(!page.contains("the cause"));
        }
    }

    #[test]
    fn text_from_a_request_is_escaped() {
        let page = error_page(&failure(Code::HostUnknown, "`<script>'&\"`"), "\"><script>");
        assert!(!page.contains("<script>"));
        assert!(page.contains("<code>&lt;script&gt;&#39;&amp;&quot;</code>"));
    }
}
