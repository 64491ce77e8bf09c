/** Evaluates the expressions of workflows: https://docs.github.com/en/actions/reference/workflows-and-actions/expressions */

export type Contexts = Record<string, unknown>;

/** Replaces each `${{ … }}` in a value. A text that is only an expression keeps the type of its value. */
export function interpolated(value: unknown, contexts: Contexts): unknown {
  if (typeof value !== "string") return value;
  const whole = /^\$\{\{((?:(?!\}\}).)*)\}\}$/s.exec(value.trim());
  if (whole) return evaluated(whole[1] ?? "", contexts);
  return value.replace(/\$\{\{(.*?)\}\}/gs, (_, expression: string) => textOf(evaluated(expression, contexts)));
}

/** The text of a value in a workflow. */
export function textOf(value: unknown): string {
  return value === null || value === undefined ? "" : String(value);
}

/** The value of an expression. */
export function evaluated(expression: string, contexts: Contexts): unknown {
  const parser = new Parser(expression, contexts);
  const value = parser.or();
  parser.end();
  return value;
}

const TOKEN = /\s*(?:(?<text>'(?:[^']|'')*')|(?<number>\d+(?:\.\d+)?)|(?<name>[A-Za-z_][\w-]*)|(?<sign>&&|\|\||==|!=|[!().,[\]]))/y;

class Parser {
  readonly #tokens: RegExpExecArray[] = [];
  readonly #contexts: Contexts;
  readonly #expression: string;

  constructor(expression: string, contexts: Contexts) {
    this.#expression = expression.trim();
    this.#contexts = contexts;
    for (TOKEN.lastIndex = 0; TOKEN.lastIndex < this.#expression.length; ) {
      const token = TOKEN.exec(this.#expression);
      if (token === null) throw new Error(`cannot read the expression ${this.#expression}`);
      this.#tokens.push(token);
    }
  }

  end(): void {
    if (this.#tokens.length > 0) throw new Error(`cannot read the expression ${this.#expression}`);
  }

  or(): unknown {
    let value = this.#and();
    while (this.#takes("||")) {
      const other = this.#and();
      value = isTrue(value) ? value : other;
    }
    return value;
  }

  #and(): unknown {
    let value = this.#comparison();
    while (this.#takes("&&")) {
      const other = this.#comparison();
      value = isTrue(value) ? other : value;
    }
    return value;
  }

  #comparison(): unknown {
    const value = this.#unary();
    if (this.#takes("==")) return areEqual(value, this.#unary());
    if (this.#takes("!=")) return !areEqual(value, this.#unary());
    return value;
  }

  #unary(): unknown {
    return this.#takes("!") ? !isTrue(this.#unary()) : this.#member();
  }

  #member(): unknown {
    let value = this.#primary();
    for (;;) {
      if (this.#takes(".")) value = memberOf(value, this.#tokens.shift()?.groups?.["name"] ?? "");
      else if (this.#takes("[")) {
        value = memberOf(value, textOf(this.or()));
        this.#require("]");
      } else return value;
    }
  }

  #primary(): unknown {
    if (this.#takes("(")) {
      const value = this.or();
      this.#require(")");
      return value;
    }
    const { text, number, name } = this.#tokens.shift()?.groups ?? {};
    if (text !== undefined) return text.slice(1, -1).replaceAll("''", "'");
    if (number !== undefined) return Number(number);
    if (name === undefined) throw new Error(`cannot read the expression ${this.#expression}`);
    if (this.#takes("(")) return this.#call(name);
    if (name === "true" || name === "false") return name === "true";
    if (name === "null") return null;
    if (!(name in this.#contexts)) throw new Error(`there is no context ${name} in ${this.#expression}`);
    return this.#contexts[name];
  }

  #call(name: string): unknown {
    const values: unknown[] = [];
    while (!this.#takes(")")) {
      values.push(this.or());
      this.#takes(",");
    }
    const [one, other] = values;
    const low = (value: unknown) => textOf(value).toLowerCase();
    switch (name) {
      case "startsWith":
        return low(one).startsWith(low(other));
      case "contains":
        return Array.isArray(one) ? one.some((item) => areEqual(item, other)) : low(one).includes(low(other));
      case "format":
        return textOf(one).replace(/\{(\d+)\}/g, (_, index: string) => textOf(values[Number(index) + 1]));
      case "always":
        return true;
      case "success":
      case "failure":
      case "cancelled":
        return memberOf(this.#contexts["status"], name);
      default:
        throw new Error(`the function ${name} is not known`);
    }
  }

  #takes(sign: string): boolean {
    if (this.#tokens[0]?.groups?.["sign"] !== sign) return false;
    this.#tokens.shift();
    return true;
  }

  #require(sign: string): void {
    if (!this.#takes(sign)) throw new Error(`${sign} is missing in ${this.#expression}`);
  }
}

/** Whether a condition with this value is met. */
export function isTrue(value: unknown): boolean {
  return !(value === false || value === null || value === undefined || value === 0 || value === "");
}

function areEqual(one: unknown, other: unknown): boolean {
  if (typeof one === "string" && typeof other === "string") return one.toLowerCase() === other.toLowerCase();
  if (typeof one === typeof other) return one === other;
  return textOf(one) === textOf(other);
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : null;
}
