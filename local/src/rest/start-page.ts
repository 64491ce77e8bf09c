import { WORKERS_DEV } from "../account-workers.ts";
import { ACCOUNT_NAMESPACE, type ScriptAddress, type ScriptVersion, type StoredScript } from "../script.ts";
import type { Call } from "./call.ts";

/** The page of a bare loopback name in a browser: what is deployed where, and how to deploy. */
export async function startPage({ env, req, var: { platform } }: Call): Promise<Response> {
  const url = new URL(req.url);
  const namespaces = await Promise.all(
    env.NAMESPACES.map(async ({ name }) => ({ name, scripts: await platform.store.scripts(name, "") })),
  );
  const accountWorkers = await platform.store.scripts(ACCOUNT_NAMESPACE, "");
  const sections = [
    ...namespaces.map(({ name, scripts }) => section(name, scripts, url)),
    ...(accountWorkers.length > 0 ? [section("Account Workers", accountWorkers, url)] : []),
  ].join("");
  return new Response(page(sections, env.ENV_FILE ?? ".wrangler/state/.env"), {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
      "x-content-type-options": "nosniff",
    },
  });
}

/** `dotdo-staging` is served under `staging.<name>.localhost`, `dotdo-production` under `<name>.localhost`. */
function hostOf({ namespace, script }: ScriptAddress, { port }: URL): string {
  const end = port === "" ? "" : `:${port}`;
  if (namespace === ACCOUNT_NAMESPACE) return `${script}.${WORKERS_DEV}${end}`;
  const environment = namespace.slice(namespace.lastIndexOf("-") + 1);
  const label = { production: "", staging: "staging.", development: "dev." }[environment] ?? `${environment}.`;
  return `${label}${script}.localhost${end}`;
}

function section(heading: string, scripts: readonly StoredScript[], url: URL): string {
  const rows = scripts.map(({ namespace, script, modifiedOn, version }) => {
    const host = escaped(hostOf({ namespace, script }, url));
    const deployed = escaped(modifiedOn.replace("T", " ").replace(/\..*$/, " UTC"));
    return `<tr><th scope="row"><a href="http://${host}/">${escaped(script)}</a></th><td>${host}</td><td>${deployed}</td><td><code>${escaped(shownVersion(version))}</code></td></tr>`;
  });
  const table = `<div class="wide"><table><thead><tr><th scope="col">Worker</th><th scope="col">Host</th><th scope="col">Deployed</th><th scope="col">Version</th></tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
  return `<section><h2>${escaped(heading)}</h2>${rows.length > 0 ? table : "<p>Nothing is deployed here yet.</p>"}</section>`;
}

/**
 * The id that wrangler printed: that of the deployment, if the deploy API deployed the version. Its tag, which has the digits without
 * hyphens, is defined in `deployments/id.rs`.
 */
function shownVersion({ id, tags }: ScriptVersion): string {
  const prefix = "dotdo-deployment-";
  const deployment = tags.find((tag) => tag.startsWith(prefix))?.slice(prefix.length);
  return deployment?.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5") ?? id;
}

/** The commands in the repository's folder that deploy the example to this platform. */
function commands(envFile: string): string {
  return `cp "${envFile}" examples/hello/.env\ncd examples/hello\nnpx wrangler deploy --dispatch-namespace dotdo-production`;
}

function page(sections: string, envFile: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>.do local platform</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { max-width: 60rem; margin: 0 auto; padding: 2rem 1rem; background: light-dark(#fff, #14161a); color: light-dark(#1c1f24, #e6e8eb); }
  h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
  a { color: light-dark(#0b57d0, #8ab4f8); }
  .wide { overflow-x: auto; }
  table { border-collapse: collapse; width: 100%; }
  th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid light-dark(#d9dce1, #343a43); white-space: nowrap; font-weight: normal; }
  thead th { color: light-dark(#5b6470, #9aa3ae); font-size: .85rem; }
  td code { font-size: .85rem; }
  pre { overflow-x: auto; padding: .8rem; border-radius: .4rem; background: light-dark(#f2f4f7, #20242b); }
</style>
<h1>.do local platform</h1>
<p>The dispatch Worker and the deploy API run on this machine. Each Worker below answers on its own host name.</p>
${sections}
<section><h2>Deploy the example</h2><pre><code>${escaped(commands(envFile))}</code></pre><p>For a Worker of your own, copy <code>${escaped(envFile)}</code> beside its configuration.</p></section>
</html>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
