/**
 * The error codes of the REST API and their HTTP statuses. All are codes of Cloudflare's API except the last three, which
 * exist only on the local platform. 10000 is used only for a token with fewer permissions than the platform's: after it
 * wrangler examines the account and prints advice that is wrong for the platform's token.
 */
const CODES = {
  ROUTE_UNKNOWN: { code: 7003, status: 404 },
  METHOD_NOT_ALLOWED: { code: 10405, status: 405 },
  TOKEN_INVALID: { code: 9109, status: 401 },
  PERMISSION_MISSING: { code: 10000, status: 403 },
  ACCESS_FORBIDDEN: { code: 10023, status: 403 },
  ACCOUNT_SCRIPT_NOT_FOUND: { code: 10007, status: 404 },
  SCRIPT_NOT_FOUND: { code: 10092, status: 404 },
  NAMESPACE_NOT_FOUND: { code: 10090, status: 404 },
  NAMESPACE_EXISTS: { code: 10089, status: 409 },
  NAMESPACES_NOT_SUBSCRIBED: { code: 10121, status: 403 },
  SUBDOMAIN_NOT_FOUND: { code: 10007, status: 404 },
  SUBDOMAIN_EXISTS: { code: 10036, status: 409 },
  SUBDOMAIN_MISSING: { code: 10063, status: 400 },
  NAME_INVALID: { code: 10016, status: 400 },
  SCRIPT_TOO_LARGE: { code: 10027, status: 413 },
  SCRIPT_INVALID: { code: 10021, status: 400 },
  BODY_INVALID: { code: 10026, status: 400 },
  BINDING_INVALID: { code: 10057, status: 400 },
  VERSION_NOT_FOUND: { code: 10007, status: 404 },
  SCRIPT_LIMIT_REACHED: { code: 10037, status: 403 },
  SCHEDULE_LIMIT_REACHED: { code: 10072, status: 403 },
  SCHEDULE_INVALID: { code: 10100, status: 400 },
  SERVICE_NOT_FOUND: { code: 10143, status: 400 },
  SECRET_NOT_FOUND: { code: 10056, status: 404 },
  CLASS_NOT_CONFIGURED: { code: 10061, status: 400 },
  NO_EVENT_HANDLERS: { code: 10068, status: 400 },
  MIGRATION_TAG_MISMATCH: { code: 10079, status: 412 },
  MIGRATION_INVALID: { code: 10074, status: 400 },
  TAGS_INVALID: { code: 10076, status: 400 },
  ASSET_RULES_INVALID: { code: 100324, status: 400 },
  ASSETS_INVALID: { code: 10304, status: 400 },
  ASSET_TOKEN_INVALID: { code: 10305, status: 401 },
  KV_KEY_NOT_FOUND: { code: 10009, status: 404 },
  KV_NAMESPACE_NOT_FOUND: { code: 10013, status: 404 },
  KV_TITLE_TAKEN: { code: 10014, status: 400 },
  KV_REQUEST_INVALID: { code: 10033, status: 400 },
  R2_NOT_ENABLED: { code: 10042, status: 403 },
  R2_BUCKET_NOT_FOUND: { code: 10006, status: 404 },
  R2_BUCKET_EXISTS: { code: 10004, status: 409 },
  R2_BUCKET_NAME_INVALID: { code: 10005, status: 400 },
  R2_OBJECT_NOT_FOUND: { code: 10007, status: 404 },
  R2_BUCKET_NOT_EMPTY: { code: 10008, status: 409 },
  R2_REQUEST_INVALID: { code: 10029, status: 400 },
  D1_NOT_FOUND: { code: 7404, status: 404 },
  D1_QUERY_FAILED: { code: 7500, status: 400 },
  D1_NAME_TAKEN: { code: 7502, status: 400 },
  QUEUE_NOT_FOUND: { code: 11000, status: 404 },
  QUEUE_UNKNOWN: { code: 11000, status: 400 },
  QUEUE_CONSUMER_EXISTS: { code: 11004, status: 400 },
  QUEUE_NAME_TAKEN: { code: 11009, status: 400 },
  CONSUMER_SETTINGS_INVALID: { code: 100127, status: 400 },
  QUEUE_SETTINGS_INVALID: { code: 100128, status: 400 },
  PRODUCER_QUEUE_NOT_FOUND: { code: 10104, status: 404 },
  DELAY_INVALID: { code: 10202, status: 400 },
  MESSAGE_METADATA_INVALID: { code: 10203, status: 400 },
  MESSAGE_TOO_LARGE: { code: 10204, status: 413 },
  BATCH_TOO_LARGE: { code: 10205, status: 413 },
  BATCH_COUNT_INVALID: { code: 10206, status: 413 },
  MESSAGES_INVALID: { code: 10207, status: 400 },
  QUEUE_FULL: { code: 10251, status: 429 },
  OBJECT_NAMESPACE_NOT_FOUND: { code: 10066, status: 404 },
  ZONE_NOT_FOUND: { code: 7003, status: 404 },
  ZONE_ROUTE_NOT_FOUND: { code: 10040, status: 404 },
  ZONE_ROUTE_EXISTS: { code: 10020, status: 409 },
  CUSTOM_DOMAIN_NOT_FOUND: { code: 100114, status: 404 },
  OVERTAKEN: { code: 10900, status: 409 },
  NOT_SIMULATED: { code: 10901, status: 400 },
  PLATFORM_FAILED: { code: 10902, status: 500 },
} as const;

/** The name of a code. */
export type CodeName = keyof typeof CODES;

/** The number for the client, and its HTTP status. */
export function code(name: CodeName): { code: number; status: number } {
  return CODES[name];
}

/** A call that is refused. It becomes a response in Cloudflare's envelope. */
export class Refusal extends Error {
  readonly code: number;
  readonly status: number;

  /** `message` says what happened, which input, and what to do now. wrangler prints it unchanged. */
  constructor(name: CodeName, message: string) {
    super(message);
    this.name = "Refusal";
    ({ code: this.code, status: this.status } = code(name));
  }
}
