// step/workflow-commands.ts
import { EOL } from "node:os";
function annotate(level, title, lines) {
  command(`::${level} title=${escapeProperty(title)}::${escapeMessage(lines.join("\n"))}`);
}
function log(text) {
  write(withoutCommands(text));
}
var held;
function command(line) {
  if (held === void 0) write(line);
  else held.push(line);
}
function write(line) {
  process.stdout.write(line + EOL);
}
function withoutCommands(text) {
  const line = text.replace(new RegExp("\\p{Cc}", "gu"), "�").replaceAll("##[", "##​[");
  return line.trimStart().startsWith("::") ? `​${line.trimStart()}` : line;
}
function escapeMessage(text) {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}
function escapeProperty(text) {
  return escapeMessage(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

// login/src/login.ts
import { setTimeout as sleep } from "node:timers/promises";

// step/failure.ts
var ActionFailure = class extends Error {
  /** A short description. */
  title;
  /** What happened, and what to do, a sentence each. */
  lines;
  /** The claims of the run, if it has an OIDC token. */
  claims;
  constructor(title, lines, claims) {
    super([title, ...lines].join("\n"));
    this.title = title;
    this.lines = lines;
    this.claims = claims;
  }
};
var TransientFailure = class extends Error {
  /** How long the server asks to wait, in milliseconds. */
  retryAfter;
  constructor(message, retryAfter2) {
    super(message);
    this.retryAfter = retryAfter2;
  }
};

// step/http.ts
var REQUEST_TIMEOUT = 1e4;
var MAX_RESPONSE = 8 * 1024 * 1024;
async function request(send, server, url, init, timeout) {
  let response;
  let text;
  try {
    response = await send(url, {
      ...init,
      redirect: "manual",
      signal: AbortSignal.timeout(timeout)
    });
    text = await response.text();
  } catch (error) {
    throw new TransientFailure(`${server} (${url.origin}) does not answer: ${causeOf(error)}.`);
  }
  const reply = { status: response.status, json: parse(text) };
  if (reply.status >= 300 && reply.status < 400) {
    throw new ActionFailure(`${server} redirects`, [
      `${url.origin} answers ${url.pathname} with a redirect, which is not followed with a credential.`,
      "Set the address that it redirects to."
    ]);
  }
  if (reply.status === 408 || reply.status === 429 || reply.status >= 500) {
    const detail = problemOf(reply.json)?.detail ?? `It answers with the status ${reply.status}.`;
    throw new TransientFailure(
      `${server} (${url.origin}) cannot answer now. ${detail}`,
      retryAfter(response.headers.get("retry-after"))
    );
  }
  return reply;
}
function problemOf(json) {
  if (!isObject(json) || typeof json["title"] !== "string" || typeof json["detail"] !== "string") return void 0;
  const text = (member) => typeof json[member] === "string" ? json[member] : void 0;
  const notes = Array.isArray(json["notes"]) ? json["notes"].filter((note) => typeof note === "string") : [];
  return {
    title: json["title"],
    detail: json["detail"],
    code: text("code"),
    fix: text("fix"),
    notes,
    request_id: text("request_id")
  };
}
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
function parse(text) {
  if (text.length > MAX_RESPONSE) return void 0;
  try {
    return JSON.parse(text);
  } catch {
    return void 0;
  }
}
function retryAfter(header) {
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) * 1e3 : void 0;
}
function causeOf(error) {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "the request timed out";
  const { cause } = error;
  if (cause instanceof Error) return "code" in cause ? `${cause.message || "connection failed"} (${String(cause.code)})` : cause.message;
  return error.message;
}

// login/src/login.ts
var SERVER = "The deploy API";
var realWorld = {
  send: (url, init) => fetch(url, init),
  now: () => performance.now(),
  pause: (milliseconds) => sleep(milliseconds)
};
async function revoke(world, api, token) {
  const init = { method: "DELETE", headers: { Authorization: `Bearer ${token}` } };
  const once = async () => {
    const reply = await request(world.send, SERVER, new URL("/v1/tokens/self", api), init, REQUEST_TIMEOUT);
    if (reply.status === 200 || reply.status === 204) return "revoked";
    if (reply.status === 401) return "not valid any more";
    throw new Error(problemOf(reply.json)?.detail ?? `${SERVER} answered with the status ${reply.status}.`);
  };
  try {
    return await once();
  } catch (error) {
    if (!(error instanceof TransientFailure)) throw error;
    await world.pause(1e3);
    return await once();
  }
}

// login/src/log-out.ts
async function logOut(variables) {
  const api = variables["STATE_api"];
  const token = variables["STATE_token"];
  if (!api || !token) return;
  try {
    log(`The deploy token is ${await revoke(realWorld, new URL(api), token)}.`);
  } catch (error) {
    annotate("warning", "The deploy token was not revoked", [
      `It expires at ${variables["STATE_expires"]}.`,
      error instanceof Error ? error.message : String(error)
    ]);
  }
}

// login/src/post.ts
await logOut(process.env);
