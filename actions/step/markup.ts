/** HTML in Markdown: job summaries and comments. */

/** Characters that change the direction of the text around them, and could show it in another order. */
const DIRECTION = /[\u202a-\u202e\u2066-\u2069]/g;

/** A text as HTML on one line: a blank line would end the HTML, and the rest would be Markdown. */
export function escape(text: string): string {
  return text
    .toWellFormed()
    .replace(DIRECTION, "\u{fffd}")
    .replace(/\p{Cc}/gu, " ")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** The beginning of a text that is longer than a number of characters. */
export function shortened(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest)} …` : text;
}
