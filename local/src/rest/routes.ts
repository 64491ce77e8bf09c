import * as account from "./account.ts";
import { openAssetUpload, uploadAsset, uploadAssets } from "./asset-upload.ts";
import { getContent, putContent } from "./content.ts";
import { clearDispatches, listDispatches } from "./dispatches.ts";
import { getNamespace, listNamespaces, refuseNamespaceChange } from "./namespaces.ts";
import type { Route } from "./route.ts";
import { deleteScript, deleteScripts, getScript, listScripts, putScript } from "./scripts.ts";
import { changeSecrets, deleteSecret, getSecret, listSecrets, putSecret } from "./secrets.ts";
import { getSettings, listBindings, patchSettings } from "./settings.ts";
import { deleteTag, listTags, putTag, putTags } from "./tags.ts";

const ACCOUNT = "/accounts/:account";
const NAMESPACES = `${ACCOUNT}/workers/dispatch/namespaces`;
const SCRIPTS = `${NAMESPACES}/:namespace/scripts`;
const SCRIPT = `${SCRIPTS}/:script`;

const EVERY_METHOD_TO = (handler: () => never): Route["methods"] => ({
  GET: handler,
  PUT: handler,
  POST: handler,
  PATCH: handler,
  DELETE: handler,
});

/** Every call of the REST API. The first match counts. */
export const ROUTES: readonly Route[] = [
  { path: "/user", methods: { GET: account.getUser } },
  { path: "/user/tokens/verify", methods: { GET: account.verifyToken } },
  { path: "/memberships", methods: { GET: account.listMemberships } },
  { path: "/accounts", methods: { GET: account.listAccounts } },
  { path: ACCOUNT, methods: { GET: account.getAccount } },
  {
    path: NAMESPACES,
    methods: { GET: listNamespaces, POST: refuseNamespaceChange },
  },
  {
    path: `${NAMESPACES}/:namespace`,
    methods: {
      GET: getNamespace,
      PUT: refuseNamespaceChange,
      PATCH: refuseNamespaceChange,
      DELETE: refuseNamespaceChange,
    },
  },
  { path: SCRIPTS, methods: { GET: listScripts, DELETE: deleteScripts } },
  { path: SCRIPT, methods: { GET: getScript, PUT: putScript, DELETE: deleteScript } },
  { path: `${SCRIPT}/content`, methods: { GET: getContent, PUT: putContent } },
  { path: `${SCRIPT}/settings`, methods: { GET: getSettings, PATCH: patchSettings } },
  { path: `${SCRIPT}/bindings`, methods: { GET: listBindings } },
  { path: `${SCRIPT}/secrets`, methods: { GET: listSecrets, PUT: putSecret } },
  { path: `${SCRIPT}/secrets-bulk`, methods: { PATCH: changeSecrets } },
  { path: `${SCRIPT}/secrets/:secret`, methods: { GET: getSecret, DELETE: deleteSecret } },
  { path: `${SCRIPT}/tags`, methods: { GET: listTags, PUT: putTags } },
  { path: `${SCRIPT}/tags/:tag`, methods: { PUT: putTag, DELETE: deleteTag } },
  { path: `${SCRIPT}/assets-upload-session`, methods: { POST: openAssetUpload } },
  { path: `${ACCOUNT}/workers/assets/upload`, methods: { POST: uploadAssets }, ownToken: true },
  { path: `${ACCOUNT}/workers/assets/upload/:hash`, methods: { POST: uploadAsset }, ownToken: true },
  { path: `${ACCOUNT}/workers/scripts/:script/*`, methods: EVERY_METHOD_TO(account.refuseAccountScript) },
  { path: `${ACCOUNT}/workers/services/:script/*`, methods: EVERY_METHOD_TO(account.refuseAccountScript) },
  ...["queues", "workflows", "storage/kv", "r2", "d1", "vectorize", "hyperdrive", "pipelines", "containers"].map(
    (product): Route => ({
      path: `${ACCOUNT}/${product}/*`,
      methods: EVERY_METHOD_TO(() => account.refuseProduct(product)),
    }),
  ),
  { path: "/local/dispatches", methods: { GET: listDispatches, DELETE: clearDispatches } },
];
