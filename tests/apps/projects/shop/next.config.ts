import type { NextConfig } from "next";
import path from "node:path";

// The folder with the lock file. Next.js searches for it upwards, and warns about that of the repository.
const root = path.join(__dirname, "../..");

export default {
  outputFileTracingRoot: root,
  turbopack: { root },
} satisfies NextConfig;
