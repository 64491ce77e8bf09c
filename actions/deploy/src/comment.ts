import { isObject } from "../../step/http.ts";
import type { GitHub, Item } from "./github.ts";

/** Which comment of a pull request it is: there is one for each preview. */
export interface Marker {
  worker: string;
  /** When the step began, in milliseconds since 1970. A comment of a later step is not changed. */
  began: number;
}

interface Found {
  id: number;
  began: number;
}

/**
 * Keeps exactly one comment for a preview: changes it, or creates it. If two runs created one at the same time, the older one stays.
 *
 * @param isCreated whether it is created if it does not exist
 */
export async function keepComment(github: GitHub, pullRequest: number, marker: Marker, text: string, isCreated: boolean): Promise<void> {
  const body = `${hidden(marker)}\n${text}`;
  const user = await github.user();
  const list = async () => commentsOf(await github.all(`/issues/${pullRequest}/comments`), marker.worker, user);
  let found = await list();
  if (found.length === 0) {
    if (!isCreated) return;
    await github.post(`/issues/${pullRequest}/comments`, { body });
    found = await list();
    // It is the only one.
    if (found.length === 1) return;
  }
  const [kept, ...others] = found;
  if (kept === undefined) return;
  for (const { id } of others) await github.delete(`/issues/comments/${id}`);
  const isLatest = found.every(({ began }) => began <= marker.began);
  if (isLatest) await github.patch(`/issues/comments/${kept.id}`, { body });
}

/**
 * The comments of a preview, the oldest first. One of somebody else is never taken for it, because its author could change it later.
 *
 * @param author the user who writes them; undefined for an app
 */
function commentsOf(comments: Item[], worker: string, author: string | undefined): Found[] {
  const found: Found[] = [];
  for (const { id, body, user } of comments) {
    const { type, login } = isObject(user) ? user : {};
    const isOwn = author === undefined ? type === "Bot" : login === author;
    const match = /^<!-- dotdo-preview (\S+) (\d+) -->/.exec(String(body));
    if (isOwn && typeof id === "number" && match?.[1] === worker) found.push({ id, began: Number(match[2]) });
  }
  return found.sort((one, other) => one.id - other.id);
}

function hidden({ worker, began }: Marker): string {
  return `<!-- dotdo-preview ${worker} ${began} -->`;
}
