// Finds the Worker for a request's URL.

import { BINDINGS, type Binding, type Environment, invalidWorker, ofHostLabel, otherEnvironment } from "./environments";
import type { Options, Rule } from "./rules";

export interface Route {
  environment: Environment;
  binding: Binding;
  worker: string;
  rule: string;
  options?: Options;
  /** The stripped path prefix, and the URL without it. */
  prefix?: string;
  url?: string;
}

export interface Refusal {
  code: "HOST_UNKNOWN" | "ENVIRONMENT_UNKNOWN" | "WORKER_NAME_INVALID";
  reason: string;
  rule?: string;
  host?: string;
}

export class Router {
  /** By the number of labels in the host. */
  readonly #rules = new Map<number, Rule[]>();

  constructor(rules: Rule[]) {
    for (const rule of rules) {
      const alike = this.#rules.get(rule.labels);
      if (alike) alike.push(rule);
      else this.#rules.set(rule.labels, [rule]);
    }
  }

  route(url: string): Route | Refusal {
    const start = url.indexOf("://") + 3;
    let end = url.indexOf("/", start);
    if (end < 0) end = url.length;
    let authority = url.slice(start, end);
    const at = authority.lastIndexOf("@");
    if (at >= 0) authority = authority.slice(at + 1);
    const host = hostOf(authority);
    const wrong = invalidHost(host);
    if (wrong) return { code: "HOST_UNKNOWN", reason: wrong };
    const rules = this.#rules.get(labelsOf(host)) ?? [];
    const target = url.slice(end);
    return decide(rules, host, target, url.slice(0, start) + authority);
  }
}

function decide(rules: Rule[], host: string, target: string, origin: string): Route | Refusal {
  const subject = host + target;
  let miss: { rule: Rule; label: string } | undefined;
  let farMiss: { rule: Rule; label: string } | undefined;
  for (const rule of rules) {
    const match = rule.expression.exec(subject);
    if (!match) continue;
    const environment = rule.environment ?? ofHostLabel(match[rule.environmentCapture]);
    if (!environment) {
      const label = match[rule.environmentCapture];
      if (rule.workerCapture && invalidWorker(match[rule.workerCapture])) farMiss ??= { rule, label };
      else miss ??= { rule, label };
      continue;
    }
    const worker = rule.worker(match);
    const captured = rule.workerCapture ? match[rule.workerCapture] : worker;
    const reason = invalidWorker(captured) ?? (captured === worker ? undefined : invalidWorker(worker));
    const other = reason ? undefined : otherEnvironment(host, environment);
    if (!reason && !other) return found(rule, environment, worker, target, origin);
    if (miss && miss.rule.literals > rule.literals) return noEnvironment(miss, host);
    if (reason) return { code: "WORKER_NAME_INVALID", reason: `\`${worker}\` is not a valid Worker name: ${reason}`, rule: rule.name, host };
    const served = `the host names \`${other}\`, but the rule that matches serves ${environment}`;
    return { code: "ENVIRONMENT_UNKNOWN", reason: served, rule: rule.name, host };
  }
  miss ??= farMiss;
  return miss ? noEnvironment(miss, host) : { code: "HOST_UNKNOWN", reason: "no rule serves this host", host };
}

function found(rule: Rule, environment: Environment, worker: string, target: string, origin: string): Route {
  const route: Route = { environment, binding: BINDINGS[environment], worker, rule: rule.name, options: rule.options };
  if (rule.strippedSegments > 0) {
    let end = 0;
    for (let segment = 0; segment < rule.strippedSegments; segment += 1) {
      end += 1;
      while (end < target.length && !"/?#".includes(target[end])) end += 1;
    }
    const rest = target.slice(end);
    route.prefix = target.slice(0, end);
    route.url = `${origin}${rest.startsWith("/") ? "" : "/"}${rest}`;
  }
  return route;
}

function noEnvironment({ rule, label }: { rule: Rule; label: string }, host: string): Refusal {
  const reason = `\`${label}\` is not an environment: the labels are \`staging\`, \`dev\` and \`development\`, and production has none`;
  return { code: "ENVIRONMENT_UNKNOWN", reason, rule: rule.name, host };
}

/** The host in lower case, without the port and one trailing dot. */
function hostOf(authority: string): string {
  let host = authority;
  const colon = host.indexOf(":");
  if (colon >= 0 && !host.startsWith("[")) host = host.slice(0, colon);
  if (host.endsWith(".")) host = host.slice(0, -1);
  return host.toLowerCase();
}

const HOST = /^[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/;
const NUMBER = /(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/;

function invalidHost(host: string): string | undefined {
  if (host.length > 253) return "the host has more than 253 characters";
  if (host.startsWith("[")) return "the host is an IP address, not a name";
  if (!HOST.test(host)) return "the host is malformed";
  if (NUMBER.test(host)) return "the host is an IP address, not a name";
  return undefined;
}

function labelsOf(host: string): number {
  let labels = 1;
  for (let at = host.indexOf("."); at >= 0; at = host.indexOf(".", at + 1)) labels += 1;
  return labels;
}
