// Sends the failures of a Worker to the logs Worker. The client does not wait for it.

/** Sends a failure: `json` has its members except for what the request says. One that is not stored must not cost the response. */
export function recordFailure(logs, json, request, context) {
  try {
    const { pathname } = new URL(request.url);
    const recorded = logs.recordFailure({ ...JSON.parse(json), method: request.method, path: pathname });
    context.waitUntil(recorded.catch(() => {}));
  } catch {}
}
