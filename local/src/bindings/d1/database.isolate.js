// The D1 databases that a script sees. The runtime passes a real binding to a loaded isolate, but only of a database that the configuration
// of the Worker `local` names. Its class is the runtime's own, and works with the stub of any database.

/** Returns the database for a real binding, whose database is empty, and for the stub of a host entrypoint. */
export default function database({ unused, host }) {
  return new unused.constructor(host);
}
