import STYLE from "../../../src/errors/page.css";

/** The members of a problem document. */
export type Problem = { type: string; title: string; status: number; detail: string; code: string; fix: string; request_id: string };

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

/** Text whose parts in backticks are code. */
function withCode(text: string): string {
  return escaped(text).replace(/`([^`]*)`/g, "<code>$1</code>");
}

/** An error as an HTML page. */
export function page({ type, title, status, detail, code, fix, request_id }: Problem): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>
${STYLE}</style>
</head>
<body>
<main>
<p class="status">${status}</p>
<h1>${title}</h1>
<p>${withCode(detail)}</p>
<p>${escaped(fix)}</p>
<dl>
<dt>Code</dt><dd><a href="${escaped(type)}">${code}</a></dd>
<dt>Request id</dt><dd>${escaped(request_id)}</dd>
</dl>
</main>
</body>
</html>
`;
}
