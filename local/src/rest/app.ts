import { Hono, type Handler } from "hono";
import { platform } from "../platform.ts";
import { Refusal } from "../refusal.ts";
import * as access from "./access.ts";
import * as account from "./account.ts";
import * as accountState from "./account-state.ts";
import * as workers from "./account-workers.ts";
import * as assets from "./asset-upload.ts";
import type { CallTypes } from "./call.ts";
import * as d1 from "./d1.ts";
import { failure } from "./envelope.ts";
import * as kv from "./kv.ts";
import { checkPermission } from "./permissions.ts";
import * as namespaces from "./namespaces.ts";
import * as r2 from "./r2.ts";
import * as queueMessages from "./queue-messages.ts";
import * as queues from "./queues.ts";
import * as local from "./local.ts";
import * as scripts from "./scripts.ts";
import * as secrets from "./secrets.ts";
import * as secretsStore from "./secrets-store.ts";
import * as settings from "./settings.ts";
import { startPage } from "./start-page.ts";
import * as triggers from "./triggers.ts";
import * as versions from "./versions.ts";
import * as zones from "./zones.ts";

/** Where the calls of Cloudflare's API begin. */
const BASE = "/client/v4";

type App = Hono<CallTypes>;
type Methods = Readonly<Partial<Record<"GET" | "PUT" | "POST" | "PATCH" | "DELETE", Handler<CallTypes>>>>;

/** The REST API and the start page. Every failure is a response in Cloudflare's envelope. */
export function restApi(): App {
  const app: App = new Hono({ getPath: plainPath });
  app.onError((cause) => failure(refusalOf(cause)));
  app.notFound(({ req }) => failure(routeUnknown(req.path)));
  app.use(async (call, next) => {
    call.set("platform", platform(call.env, call.executionCtx as ExecutionContext));
    access.checkHost(call.req.raw);
    await next();
  });
  // A link to the start page may be on any page, and a page of another origin cannot read it.
  app.get("/", startPage);
  app.use(async (call, next) => {
    access.checkOrigin(call.req.raw);
    await next();
  });
  assetUploads(app);
  route(app, `${BASE}/local/d1-files/:token`, { GET: d1.downloadFile, PUT: d1.uploadFile });
  app.use(async (call, next) => {
    const fault = await checkPermission(call, call.req.path.slice(BASE.length));
    if (fault !== null) return fault;
    return await next();
  });
  for (const path of [`${BASE}/accounts/:account`, `${BASE}/accounts/:account/*`]) app.use(path, account.checkAccount);
  accountCalls(app);
  accountWorkerCalls(app);
  zoneCalls(app);
  namespaceCalls(app);
  secretsStoreCalls(app);
  storageCalls(app);
  queueCalls(app);
  route(app, `${BASE}/local/dispatches`, { GET: local.listDispatches, DELETE: local.clearDispatches });
  route(app, `${BASE}/local/received`, { GET: local.listReceived, DELETE: local.clearReceived });
  route(app, `${BASE}/local/queues`, { GET: queueMessages.showQueues });
  route(app, `${BASE}/local/scheduled`, { POST: local.runScheduledHandler });
  route(app, `${BASE}/local/account`, { PUT: accountState.emptyAccount, DELETE: accountState.fillAccount });
  route(app, `${BASE}/local/tokens`, { POST: accountState.createLimitedToken });
  route(app, `${BASE}/local/isolates`, { GET: local.listIsolates });
  return app;
}

/** The calls that have the token of an asset upload instead of the platform's. */
function assetUploads(app: App): void {
  const upload = `${BASE}/accounts/:account/workers/assets/upload`;
  app.use(upload, account.checkAccount);
  route(app, upload, { POST: assets.uploadAssets });
  app.use(`${upload}/:hash`, account.checkAccount);
  route(app, `${upload}/:hash`, { POST: assets.uploadAsset });
}

function accountCalls(app: App): void {
  const ACCOUNT = `${BASE}/accounts/:account`;
  route(app, `${BASE}/user`, { GET: account.getUser });
  route(app, `${BASE}/user/tokens/verify`, { GET: account.verifyToken });
  route(app, `${BASE}/memberships`, { GET: account.listMemberships });
  route(app, `${BASE}/accounts`, { GET: account.listAccounts });
  route(app, ACCOUNT, { GET: account.getAccount });
  for (const product of account.PRODUCTS_NOT_SIMULATED) {
    app.all(`${ACCOUNT}/${product}/*`, () => account.refuseProduct(product));
  }
}

/** The calls for account Workers. Those for the parts of a script are the same as in a namespace. */
function accountWorkerCalls(app: App): void {
  const WORKERS = `${BASE}/accounts/:account/workers`;
  const SCRIPT = `${WORKERS}/scripts/:script`;
  route(app, `${WORKERS}/scripts`, { GET: workers.listWorkers });
  route(app, SCRIPT, { GET: scripts.getContent, PUT: scripts.putScript, DELETE: scripts.deleteScript });
  scriptCalls(app, SCRIPT);
  route(app, `${SCRIPT}/content/v2`, { GET: scripts.getContent });
  route(app, `${SCRIPT}/script-settings`, { GET: workers.getScriptSettings, PATCH: workers.patchScriptSettings });
  route(app, `${SCRIPT}/versions`, { GET: versions.listVersions, POST: versions.postVersion });
  route(app, `${SCRIPT}/versions/:version`, { GET: versions.getVersion });
  route(app, `${SCRIPT}/deployments`, { GET: versions.listDeployments, POST: versions.postDeployment });
  route(app, `${SCRIPT}/deployments/:deployment`, { GET: versions.getDeployment });
  route(app, `${SCRIPT}/subdomain`, { GET: workers.getAddress, POST: workers.setAddress, DELETE: workers.disableAddress });
  route(app, `${SCRIPT}/schedules`, { GET: triggers.listSchedules, PUT: triggers.putSchedules });
  route(app, `${SCRIPT}/references`, { GET: workers.getReferences });
  for (const path of ["routes", "domains/*"]) app.all(`${SCRIPT}/${path}`, triggers.refuseRoutes);
  app.all(`${SCRIPT}/tails`, triggers.refuseTail);
  route(app, `${WORKERS}/services/:script`, { GET: workers.getService, DELETE: scripts.deleteScript });
  route(app, `${WORKERS}/workers/:script`, { GET: workers.getWorker });
  route(app, `${WORKERS}/tails/by-consumer/:script`, { GET: workers.listTailProducers });
  route(app, `${WORKERS}/subdomain`, { GET: workers.getAccountSubdomain, PUT: workers.registerSubdomain });
  route(app, `${WORKERS}/domains`, { GET: zones.listDomains, PUT: zones.attachDomain });
  route(app, `${WORKERS}/domains/:domain`, { GET: zones.getDomain, DELETE: zones.detachDomain });
  const OBJECTS = `${WORKERS}/durable_objects/namespaces`;
  route(app, OBJECTS, { GET: zones.listObjectNamespaces });
  route(app, `${OBJECTS}/:id/objects`, { GET: zones.listObjects });
}

/** The calls for zones and their routes. */
function zoneCalls(app: App): void {
  const ZONE = `${BASE}/zones/:zone`;
  route(app, `${BASE}/zones`, { GET: zones.listZones, POST: zones.createZone });
  route(app, ZONE, { GET: zones.getZone });
  route(app, `${ZONE}/dns_records`, { GET: zones.listRecords, POST: zones.createRecord });
  route(app, `${ZONE}/workers/routes`, { GET: zones.listRoutes, POST: zones.createRoute });
  route(app, `${ZONE}/workers/routes/:route`, { GET: zones.getRoute, PUT: zones.changeRoute, DELETE: zones.deleteRoute });
}

/** The calls for the parts of a script. */
function scriptCalls(app: App, SCRIPT: string): void {
  route(app, `${SCRIPT}/content`, { GET: scripts.getContent, PUT: scripts.putContent });
  route(app, `${SCRIPT}/settings`, { GET: settings.getSettings, PATCH: settings.patchSettings });
  route(app, `${SCRIPT}/bindings`, { GET: settings.listBindings });
  route(app, `${SCRIPT}/secrets`, { GET: secrets.listSecrets, PUT: secrets.putSecret });
  route(app, `${SCRIPT}/secrets-bulk`, { PATCH: secrets.changeSecrets });
  route(app, `${SCRIPT}/secrets/:secret`, { GET: secrets.getSecret, DELETE: secrets.deleteSecret });
  route(app, `${SCRIPT}/tags`, { GET: settings.listTags, PUT: settings.putTags });
  route(app, `${SCRIPT}/tags/:tag`, { PUT: settings.putTag, DELETE: settings.deleteTag });
  route(app, `${SCRIPT}/assets-upload-session`, { POST: assets.openAssetUpload });
}

function namespaceCalls(app: App): void {
  const NAMESPACES = `${BASE}/accounts/:account/workers/dispatch/namespaces`;
  const SCRIPTS = `${NAMESPACES}/:namespace/scripts`;
  const SCRIPT = `${SCRIPTS}/:script`;
  const { refuseNamespaceChange } = namespaces;
  route(app, NAMESPACES, { GET: namespaces.listNamespaces, POST: namespaces.createNamespace });
  route(app, `${NAMESPACES}/:namespace`, {
    GET: namespaces.getNamespace,
    PUT: refuseNamespaceChange,
    PATCH: refuseNamespaceChange,
    DELETE: refuseNamespaceChange,
  });
  route(app, SCRIPTS, { GET: scripts.listScripts, DELETE: scripts.deleteScripts });
  route(app, SCRIPT, { GET: scripts.getScript, PUT: scripts.putScript, DELETE: scripts.deleteScript });
  scriptCalls(app, SCRIPT);
}

function secretsStoreCalls(app: App): void {
  const STORES = `${BASE}/accounts/:account/secrets_store/stores`;
  const SECRETS = `${STORES}/:store/secrets`;
  route(app, STORES, { GET: secretsStore.listStores, POST: secretsStore.createStore });
  route(app, `${STORES}/:store`, { DELETE: secretsStore.deleteStore });
  route(app, SECRETS, { GET: secretsStore.listSecrets, POST: secretsStore.createSecrets });
  route(app, `${SECRETS}/:secret`, {
    GET: secretsStore.getSecret,
    PATCH: secretsStore.updateSecret,
    DELETE: secretsStore.deleteSecret,
  });
}

/** The calls by which wrangler manages and fills KV namespaces, R2 buckets and D1 databases. */
function storageCalls(app: App): void {
  const ACCOUNT = `${BASE}/accounts/:account`;
  const NAMESPACE = `${ACCOUNT}/storage/kv/namespaces/:id`;
  route(app, `${ACCOUNT}/storage/kv/namespaces`, { GET: kv.listNamespaces, POST: kv.createNamespace });
  route(app, NAMESPACE, { GET: kv.getNamespace, PUT: kv.renameNamespace, DELETE: kv.deleteNamespace });
  route(app, `${NAMESPACE}/keys`, { GET: kv.listKeys });
  route(app, `${NAMESPACE}/values/:key`, { GET: kv.getValue, PUT: kv.putValue, DELETE: kv.deleteValue });
  route(app, `${NAMESPACE}/metadata/:key`, { GET: kv.getMetadata });
  route(app, `${NAMESPACE}/bulk`, { PUT: kv.putMany, DELETE: kv.deleteMany });
  route(app, `${NAMESPACE}/bulk/get`, { POST: kv.getMany });
  route(app, `${NAMESPACE}/bulk/delete`, { POST: kv.deleteMany });
  const BUCKET = `${ACCOUNT}/r2/buckets/:bucket`;
  for (const path of [`${ACCOUNT}/r2`, `${ACCOUNT}/r2/*`]) app.use(path, r2.checkEnabled);
  route(app, `${ACCOUNT}/r2/buckets`, { GET: r2.listBuckets, POST: r2.createBucket });
  route(app, BUCKET, { GET: r2.getBucket, DELETE: r2.deleteBucket });
  route(app, `${BUCKET}/objects/:key{.+}`, { GET: r2.getObject, PUT: r2.putObject, DELETE: r2.deleteObject });
  const DATABASE = `${ACCOUNT}/d1/database/:id`;
  route(app, `${ACCOUNT}/d1/database`, { GET: d1.listDatabases, POST: d1.createDatabase });
  route(app, DATABASE, { GET: d1.getDatabase, DELETE: d1.deleteDatabase });
  route(app, `${DATABASE}/query`, { POST: d1.queryDatabase });
  route(app, `${DATABASE}/import`, { POST: d1.importFile });
  route(app, `${DATABASE}/export`, { POST: d1.exportFile });
}

function queueCalls(app: App): void {
  const QUEUES = `${BASE}/accounts/:account/queues`;
  const QUEUE = `${QUEUES}/:queue`;
  const { getQueue: GET, changeQueue, deleteQueue: DELETE } = queues;
  route(app, QUEUES, { GET: queues.listQueues, POST: queues.createQueue });
  route(app, QUEUE, { GET, PUT: changeQueue, PATCH: changeQueue, DELETE });
  route(app, `${QUEUE}/consumers`, { GET: queues.listConsumers, POST: queues.createConsumer });
  route(app, `${QUEUE}/consumers/:consumer`, {
    GET: queues.getConsumer,
    PUT: queues.changeConsumer,
    DELETE: queues.deleteConsumer,
  });
  route(app, `${QUEUE}/messages`, { POST: queueMessages.sendMessage });
  route(app, `${QUEUE}/messages/batch`, { POST: queueMessages.sendMessages });
  route(app, `${QUEUE}/messages/pull`, { POST: queueMessages.pullMessages });
  route(app, `${QUEUE}/messages/ack`, { POST: queueMessages.acknowledgeMessages });
  route(app, `${QUEUE}/messages/peek`, { POST: queueMessages.peekMessages });
  route(app, `${QUEUE}/messages/purge`, { POST: queueMessages.purgeMessages });
  route(app, `${QUEUE}/purge`, { GET: queueMessages.getPurge, POST: queueMessages.purgeQueue });
  route(app, `${QUEUE}/metrics`, { GET: queueMessages.getMetrics });
}

/** Adds a path with its methods. Other methods are refused, and the refusal lists these. */
export function route(app: App, path: string, methods: Methods): void {
  for (const [method, handler] of Object.entries(methods)) app.on(method, path, handler);
  app.all(path, ({ req }) => {
    throw new Refusal(
      "METHOD_NOT_ALLOWED",
      `${req.method} is not possible for ${req.path}. Possible: ${Object.keys(methods).join(", ")}.`,
    );
  });
}

/** The path without repeated and final slashes. Clients whose base URL ends in a slash send two before the path. */
function plainPath({ url }: { readonly url: string }): string {
  const { pathname } = new URL(url);
  return pathname.replace(/\/+/g, "/").replace(/(.)\/$/, "$1");
}

function routeUnknown(path: string): Refusal {
  return new Refusal(
    "ROUTE_UNKNOWN",
    `Could not route to ${path}: the local platform has no such call. docs/local-platform.md lists its calls.`,
  );
}

function refusalOf(cause: unknown): Refusal {
  if (cause instanceof Refusal) return cause;
  console.error("the local platform failed", cause);
  const message = cause instanceof Error ? cause.message : String(cause);
  return new Refusal("PLATFORM_FAILED", `The local platform failed, and its log has the cause: ${message}`);
}
