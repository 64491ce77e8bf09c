/** The post step: revokes the token, also after a failed job. It never fails the job. */

import { logOut } from "./log-out.ts";

await logOut(process.env);
