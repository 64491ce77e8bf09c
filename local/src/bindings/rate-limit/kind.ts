import { Refusal } from "../../refusal.ts";
import type { Binding } from "../binding.ts";
import type { BindingKind } from "../kind.ts";
import type { RateLimitProps } from "./limiter.ts";

/** The periods that Cloudflare allows, in seconds. */
const PERIODS = [10, 60];

/** A rate limit. As on Cloudflare, all Workers with the same `namespace_id` share its counts. */
export const rateLimit: BindingKind<Extract<Binding, { type: "ratelimit" }>> = {
  read(fields) {
    const namespaceId = String(fields.value("namespace_id") ?? "");
    const { limit, period } = (fields.value("simple") ?? {}) as { limit?: unknown; period?: unknown };
    if (!/^\d{1,20}$/.test(namespaceId)) {
      throw new Refusal("BINDING_INVALID", `The \`namespace_id\` of the rate limit ${fields.name} must be a positive number in a string.`);
    }
    if (typeof limit !== "number" || !Number.isInteger(limit) || limit < 1 || !PERIODS.includes(Number(period))) {
      throw new Refusal(
        "BINDING_INVALID",
        `The rate limit ${fields.name} needs \`simple\` with a \`limit\` of at least 1 and a \`period\` of ${PERIODS.join(" or ")} seconds.`,
      );
    }
    return { type: "ratelimit", name: fields.name, namespace_id: namespaceId, simple: { limit, period: Number(period) } };
  },
  value({ namespace_id: namespaceId, simple }, { platform }) {
    const props: RateLimitProps = { namespaceId, ...simple };
    return platform.entrypoint("RateLimit", props);
  },
};
