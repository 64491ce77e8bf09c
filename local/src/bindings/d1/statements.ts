/** One token of SQL: a quoted text, a comment, a word, a semicolon, or one other character. */
const TOKEN = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|[A-Za-z_][\w$]*|;|[\s\S]/g;

/**
 * The statements of an SQL text, without their semicolons. A semicolon in a quoted text, in a comment, or in the body of a trigger ends no
 * statement. Parts that have only blanks and comments are left out.
 */
export function splitStatements(sql: string): string[] {
  const statements: string[] = [];
  let words: string[] = [];
  let start = 0;
  /** How many `BEGIN` and `CASE` of the body of a trigger are open. */
  let depth = 0;
  for (const { 0: token, index } of sql.matchAll(TOKEN)) {
    if (token === ";" && depth === 0) {
      if (words.length > 0) statements.push(sql.slice(start, index).trim());
      start = index + 1;
      words = [];
      continue;
    }
    if (token.trim() === "" || token.startsWith("--") || token.startsWith("/*")) continue;
    const word = token.toUpperCase();
    words.push(word);
    if (!isTrigger(words)) continue;
    if (word === "BEGIN" || (word === "CASE" && depth > 0)) depth += 1;
    if (word === "END" && depth > 0) depth -= 1;
  }
  if (words.length > 0) statements.push(sql.slice(start).trim());
  return statements;
}

/** Whether a statement begins as `CREATE TRIGGER` does, with or without `TEMP` or `TEMPORARY`. */
function isTrigger([first, second, third]: readonly string[]): boolean {
  if (first !== "CREATE") return false;
  return second === "TRIGGER" || ((second === "TEMP" || second === "TEMPORARY") && third === "TRIGGER");
}

/** Whether a statement begins or ends a transaction. D1 runs an import as one transaction, and refuses these statements otherwise. */
export function isTransactionControl(statement: string): boolean {
  return /^(begin(\s+(transaction|immediate|deferred|exclusive))*|commit(\s+transaction)?|end(\s+transaction)?)$/i.test(statement);
}
