// The data set of Analytics Engine that a script sees. The limits and the messages are those of the runtime's own binding
// (`analytics-engine.h` of workerd) and of https://developers.cloudflare.com/analytics/analytics-engine/limits/.
import { waitUntil } from "cloudflare:workers";

const MAX_VALUES = 20;
const MAX_INDEXES = 1;
const MAX_INDEX_BYTES = 96;
const MAX_BLOB_BYTES = 16 * 1024;

/** Returns the data set for the stub of a host entrypoint. */
export default function dataset(host) {
  return new AnalyticsEngineDataset(host);
}

class AnalyticsEngineDataset {
  #host;
  constructor(host) {
    this.#host = host;
  }

  writeDataPoint(point = {}) {
    const { indexes = [], doubles = [], blobs = [] } = point;
    limit(indexes, MAX_INDEXES, "indexes");
    limit(doubles, MAX_VALUES, "doubles");
    limit(blobs, MAX_VALUES, "blobs");
    const texts = blobs.map(textOf);
    const written = { indexes: indexes.map(textOf), doubles: doubles.map(Number), blobs: texts };
    if (bytes(written.indexes) > MAX_INDEX_BYTES) {
      throw new TypeError(`writeDataPoint(): Size of indexes exceeds ${MAX_INDEX_BYTES} bytes.`);
    }
    if (bytes(texts) > MAX_BLOB_BYTES) throw new TypeError(`writeDataPoint(): Size of blobs exceeds ${MAX_BLOB_BYTES} bytes.`);
    waitUntil(this.#host.send([written]));
  }
}

function limit(values, most, name) {
  if (!Array.isArray(values)) throw new TypeError(`writeDataPoint(): ${name} must be a list.`);
  if (values.length > most) throw new TypeError(`writeDataPoint(): Maximum of ${most} ${name} supported.`);
}

function textOf(value) {
  if (value === null || value === undefined) return null;
  return value instanceof ArrayBuffer || ArrayBuffer.isView(value) ? new TextDecoder().decode(value) : String(value);
}

function bytes(texts) {
  return texts.reduce((sum, text) => sum + new TextEncoder().encode(text ?? "").byteLength, 0);
}
