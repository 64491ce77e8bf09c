/** The compatibility date of Cloudflare's asset and router Workers, as their own configuration has it. */
export const CLOUDFLARE_WORKER_DATE = "2024-07-31";
