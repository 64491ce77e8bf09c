import { Refusal } from "../../refusal.ts";
import type { Binding } from "../binding.ts";
import type { BindingKind } from "../kind.ts";
import { bucketAddress } from "../storage.ts";
import argumentsModule from "../arguments.isolate.js";
import bucketModule from "./bucket.isolate.js";
import objectsModule from "./objects.isolate.js";
import optionsModule from "./options.isolate.js";

/** An R2 bucket. */
export const r2Bucket: BindingKind<Extract<Binding, { type: "r2_bucket" }>> = {
  read(fields) {
    const bucket = fields.text("bucket_name");
    const jurisdiction = fields.value("jurisdiction");
    if (!isBucketName(bucket)) {
      throw new Refusal(
        "BINDING_INVALID",
        `The \`bucket_name\` of the binding ${fields.name} is ${JSON.stringify(bucket.slice(0, 100))}. ${BUCKET_NAME_RULE}`,
      );
    }
    if (jurisdiction === undefined) return { type: "r2_bucket", name: fields.name, bucket_name: bucket };
    if (typeof jurisdiction !== "string" || !/^[a-z-]{1,20}$/.test(jurisdiction)) {
      throw new Refusal("BINDING_INVALID", `The \`jurisdiction\` of the binding ${fields.name} is not one, such as "eu".`);
    }
    return { type: "r2_bucket", name: fields.name, bucket_name: bucket, jurisdiction };
  },
  value(binding, { platform }) {
    return platform.entrypoint("BucketHost", bucketAddress(binding));
  },
  setup: bucketModule,
  imports: {
    "../arguments.isolate.js": argumentsModule,
    "./objects.isolate.js": objectsModule,
    "./options.isolate.js": optionsModule,
  },
};

/** Cloudflare's rule for names of buckets, as a sentence. */
export const BUCKET_NAME_RULE =
  "The name of a bucket has 3 to 63 lower-case letters, digits and dashes, and begins and ends with a letter or a digit.";

/** Whether Cloudflare accepts the name of a bucket. */
export function isBucketName(name: string): boolean {
  return /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(name);
}
