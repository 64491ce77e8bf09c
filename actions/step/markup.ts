/** HTML in Markdown: job summaries and comments. */

/** A text as HTML on one line: a blank line would end the HTML, and the rest would be Markdown. */
export function escape(text: string): string {
  return text
    .replace(/\p{Cc}/gu, " ")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
