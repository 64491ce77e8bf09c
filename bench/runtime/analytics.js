// The Analytics Engine binding of the benchmark, the same for every dispatcher. workerd's native binding sends each
// point to a service as a separate HTTP request, which production does not do and which would cost more than what is
// measured. This class validates the point as the platform does and counts it.

const MAX_INDEX_BYTES = 96;

class AnalyticsEngine {
  count = 0;
  last = null;

  writeDataPoint(point) {
    const { indexes = [], blobs = [], doubles = [] } = point;
    if (indexes.length !== 1 || indexes[0].length > MAX_INDEX_BYTES) throw new TypeError("a point has one index of at most 96 bytes");
    if (blobs.length > 20 || !blobs.every((blob) => typeof blob === "string")) throw new TypeError("blobs are at most 20 strings");
    if (doubles.length > 20 || !doubles.every((double) => typeof double === "number")) throw new TypeError("doubles are at most 20 numbers");
    this.last = point;
    this.count += 1;
  }
}

export default () => new AnalyticsEngine();
