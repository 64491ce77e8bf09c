/** GitHub's published description of its REST API, and whether a request is one that it describes. */

import { readFileSync } from "node:fs";

import { Ajv, type ValidateFunction } from "ajv";

type Json = Record<string, unknown>;

interface Parameter {
  name: string;
  in: "path" | "query";
  required?: boolean;
  schema: Json;
}

/** An operation, with the values of a request. */
export interface Call {
  /** Such as `issues/create-comment`. */
  operation: string;
  /** The parameters of the path and of the query, by their names. */
  parameters: Record<string, string>;
  /** The body, which is valid. */
  body: Json;
}

/** A request that GitHub does not describe. */
export class InvalidRequest extends Error {}

interface Operation {
  id: string;
  method: string;
  path: RegExp;
  parameters: Map<string, { parameter: Parameter; accepts: ValidateFunction }>;
  body: ValidateFunction | undefined;
  isBodyRequired: boolean;
  /** The bodies of the responses by their status. */
  responses: Map<string, ValidateFunction | undefined>;
}

const document = JSON.parse(readFileSync(new URL("openapi.json", import.meta.url), "utf8"));
const ajv = new Ajv({ strict: false, validateFormats: false, coerceTypes: false, allErrors: true });
ajv.addSchema({ $id: "github", components: allowingOnlyTheirMembers(document.components, true) }, "github");

const OPERATIONS: Operation[] = Object.entries<Json>(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => operationOf(path, method, operation as Json)),
);

/**
 * Finds the operation of a request.
 *
 * Throws an {@link InvalidRequest} if there is none, or the request differs from its description: an unknown parameter or member is an error as
 * well, although GitHub ignores it.
 */
export function describedCall(method: string, url: URL, text: string): Call {
  for (const operation of OPERATIONS) {
    const match = operation.method === method ? operation.path.exec(url.pathname) : null;
    if (match === null) continue;
    const parameters: Record<string, string> = {};
    const given = [...Object.entries(match.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value), "path"]), ...query(url)];
    for (const [name = "", value = "", place = ""] of given) {
      const known = operation.parameters.get(`${place} ${name}`);
      if (known === undefined) throw new InvalidRequest(`${operation.id} has no parameter ${name} in the ${place}`);
      check(known.accepts, ofText(known.parameter.schema, value), `${operation.id}: ${name}`);
      parameters[name] = value;
    }
    for (const { parameter } of operation.parameters.values()) {
      if (parameter.required && !(parameter.name in parameters)) throw new InvalidRequest(`${operation.id}: ${parameter.name} is missing`);
    }
    return { operation: operation.id, parameters, body: bodyOf(operation, text) };
  }
  throw new InvalidRequest(`the extract of GitHub's description has no ${method} ${url.pathname}`);
}

/** Throws an `Error` if GitHub does not describe such a response; members may be missing. */
export function checkResponse(operationId: string, status: number, body: unknown): void {
  const operation = OPERATIONS.find(({ id }) => id === operationId);
  const accepts = operation?.responses.get(String(status));
  if (accepts !== undefined) check(accepts, body, `the response ${status} of ${operationId}`);
  // Errors that every operation can have are not in the description of each.
  else if (status < 400 && !operation?.responses.has(String(status))) throw new Error(`${operationId} has no response ${status}`);
}

function bodyOf(operation: Operation, text: string): Json {
  if (operation.body === undefined) {
    if (text !== "") throw new InvalidRequest(`${operation.id} has no body`);
    return {};
  }
  if (text === "" && !operation.isBodyRequired) return {};
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new InvalidRequest(`${operation.id}: the body is not JSON`);
  }
  check(operation.body, json, `${operation.id}: the body`);
  return json as Json;
}

function check(accepts: ValidateFunction, value: unknown, what: string): void {
  if (!accepts(value)) throw new InvalidRequest(`${what} ${ajv.errorsText(accepts.errors, { dataVar: "" }).trim()}`);
}

function query(url: URL): string[][] {
  return [...url.searchParams].map(([name, value]) => [name, value, "query"]);
}

/** The value of a parameter, which is a text in a URL. */
function ofText(schema: Json, text: string): unknown {
  const type = (resolved(schema) as Json)["type"];
  if (type === "integer" && /^-?\d+$/.test(text)) return Number(text);
  if (type === "boolean" && (text === "true" || text === "false")) return text === "true";
  return text;
}

function operationOf(path: string, method: string, operation: Json): Operation {
  const parameters = ((operation["parameters"] ?? []) as Json[]).map((one) => resolved(one) as unknown as Parameter);
  const request = operation["requestBody"] as Json | undefined;
  const schema = request && jsonSchema(request);
  const responses = Object.entries(operation["responses"] as Json).map(([status, response]) => {
    const body = jsonSchema(resolved(response as Json));
    return [status, body && compile(body, true)] as const;
  });
  return {
    id: String(operation["operationId"]),
    method: method.toUpperCase(),
    path: new RegExp(`^${path.replace(/\{(\w+)\}/g, "(?<$1>[^/]+)")}$`),
    parameters: new Map(parameters.map((one) => [`${one.in} ${one.name}`, { parameter: one, accepts: compile(one.schema, false) }])),
    body: schema && compile(schema, false),
    isBodyRequired: request?.["required"] === true,
    responses: new Map(responses),
  };
}

function jsonSchema(holder: Json): Json | undefined {
  const content = holder["content"] as Record<string, Json> | undefined;
  return content?.["application/json"]?.["schema"] as Json | undefined;
}

function compile(schema: Json, mayLackMembers: boolean): ValidateFunction {
  return ajv.compile(allowingOnlyTheirMembers(schema, mayLackMembers) as Json);
}

function resolved(value: Json): Json {
  const reference = value["$ref"];
  if (typeof reference !== "string") return value;
  return reference.split("/").slice(1).reduce((parent, name) => parent[name], document);
}

/** A schema whose objects have no other members than the described ones. */
function allowingOnlyTheirMembers(value: unknown, mayLackMembers: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => allowingOnlyTheirMembers(item, mayLackMembers));
  if (typeof value !== "object" || value === null) return value;
  const copy: Json = {};
  for (const [name, member] of Object.entries(value)) {
    if (mayLackMembers && name === "required" && Array.isArray(member)) continue;
    copy[name] = name === "$ref" ? `github${String(member)}` : allowingOnlyTheirMembers(member, mayLackMembers);
  }
  if (copy["type"] === "object" && copy["properties"] !== undefined) copy["additionalProperties"] ??= false;
  return copy;
}
