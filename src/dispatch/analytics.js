// Writes the data points of requests. A point arrives as JSON, because each string that crosses from Wasm costs more than the
// parsing.

/** Writes a data point. One that cannot be written must not cost the response. */
export function writeDataPoint(dataset, json, status) {
  try {
    dataset.writeDataPoint({ ...JSON.parse(json), doubles: [status] });
  } catch {}
}

/** Writes the data point of a forwarded request when the user Worker has answered, also if the client has left by then. */
export function writeWhenAnswered(dataset, json, response, context) {
  // The data point of a rejected request is that of its failure.
  const ignore = () => {};
  context.waitUntil(response.then(({ status }) => writeDataPoint(dataset, json, status), ignore));
}
