import type { Problem } from "./failure";

const STYLE = `
:root { color-scheme: light dark; --text: #1d2330; --quiet: #5c667a; --ground: #f6f7f9; --card: #fff; --line: #dde1e8; --accent: #b4341c }
@media (prefers-color-scheme: dark) {
  :root { --text: #e7eaf0; --quiet: #98a2b5; --ground: #12151b; --card: #1a1f28; --line: #2c3340; --accent: #ff8a6b }
}
* { box-sizing: border-box; margin: 0 }
body { min-height: 100vh; display: grid; place-items: center; padding: 1.25rem; background: var(--ground); color: var(--text); font: 1rem/1.6 system-ui, sans-serif }
main { width: 100%; max-width: 34rem; padding: clamp(1.5rem, 6vw, 2.75rem); background: var(--card); border: 1px solid var(--line); border-radius: .75rem }
.status { color: var(--accent); font-weight: 650; letter-spacing: .06em }
h1 { margin: .25rem 0 1rem; font-size: clamp(1.4rem, 5vw, 1.8rem); line-height: 1.25; text-wrap: balance }
p + p { margin-top: .6rem }
dl { display: grid; grid-template-columns: auto 1fr; gap: .3rem 1.25rem; margin-top: 1.75rem; padding-top: 1.25rem; border-top: 1px solid var(--line); font-size: .875rem }
dt { color: var(--quiet) }
dd { font-family: ui-monospace, monospace; overflow-wrap: anywhere }
a { color: inherit; text-underline-offset: .2em }
`;

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

/** A failure as a page for a person. */
export function page({ type, title, status, detail, code, fix, request_id }: Problem): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<p class="status">${status}</p>
<h1>${title}</h1>
<p>${escaped(detail)}</p>
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
