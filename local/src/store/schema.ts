/**
 * The tables. Bytes are stored once under their digest, in chunks, because a row has at most 2 MB. A script refers to
 * its current version. Earlier versions are kept for a while, because a request may be starting one. Those of account Workers that are
 * in `uploaded_versions` are kept, because they can be deployed again.
 */
export const SCHEMA = `
  CREATE TABLE IF NOT EXISTS contents (
    digest  TEXT PRIMARY KEY,
    size    INTEGER NOT NULL,
    kept_at INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS chunks (
    digest   TEXT NOT NULL,
    position INTEGER NOT NULL,
    bytes    BLOB NOT NULL,
    PRIMARY KEY (digest, position)
  );
  CREATE TABLE IF NOT EXISTS scripts (
    namespace   TEXT NOT NULL,
    script      TEXT NOT NULL,
    revision    TEXT NOT NULL,
    version     TEXT NOT NULL,
    created_on  TEXT NOT NULL,
    modified_on TEXT NOT NULL,
    PRIMARY KEY (namespace, script)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS versions (
    id        TEXT PRIMARY KEY,
    namespace TEXT NOT NULL,
    script    TEXT NOT NULL,
    document  TEXT NOT NULL,
    left_at   INTEGER
  );
  CREATE TABLE IF NOT EXISTS account_workers (
    script      TEXT PRIMARY KEY,
    tag         TEXT NOT NULL,
    workers_dev INTEGER NOT NULL DEFAULT 0,
    previews    INTEGER NOT NULL DEFAULT 0
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS uploaded_versions (
    id     TEXT PRIMARY KEY,
    script TEXT NOT NULL,
    number INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS deployments (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT NOT NULL,
    script     TEXT NOT NULL,
    version    TEXT NOT NULL,
    created_on TEXT NOT NULL,
    message    TEXT
  );
  CREATE TABLE IF NOT EXISTS schedules (
    script      TEXT NOT NULL,
    cron        TEXT NOT NULL,
    created_on  TEXT NOT NULL,
    modified_on TEXT NOT NULL,
    PRIMARY KEY (script, cron)
  );
  CREATE TABLE IF NOT EXISTS cron_clock (
    id     INTEGER PRIMARY KEY,
    minute INTEGER NOT NULL
  );
  CREATE TABLE IF NOT EXISTS assets (
    namespace    TEXT NOT NULL,
    script       TEXT NOT NULL,
    hash         TEXT NOT NULL,
    digest       TEXT NOT NULL,
    content_type TEXT,
    PRIMARY KEY (namespace, script, hash)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS resources (
    kind       TEXT NOT NULL,
    id         TEXT NOT NULL,
    name       TEXT NOT NULL,
    created_on TEXT NOT NULL,
    PRIMARY KEY (kind, id)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS zones (
    id   TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS zone_routes (
    id      TEXT PRIMARY KEY,
    zone    TEXT NOT NULL,
    pattern TEXT NOT NULL,
    script  TEXT,
    UNIQUE (zone, pattern)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS dns_records (
    id      TEXT PRIMARY KEY,
    zone    TEXT NOT NULL,
    type    TEXT NOT NULL,
    name    TEXT NOT NULL,
    content TEXT NOT NULL,
    proxied INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS custom_domains (
    id       TEXT PRIMARY KEY,
    hostname TEXT NOT NULL UNIQUE,
    service  TEXT NOT NULL,
    zone     TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS used_objects (
    storage TEXT NOT NULL,
    id      TEXT NOT NULL,
    PRIMARY KEY (storage, id)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS account_state (
    id       INTEGER PRIMARY KEY,
    document TEXT NOT NULL
  );
  CREATE TABLE IF NOT EXISTS limited_tokens (
    digest    TEXT PRIMARY KEY,
    document  TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS asset_sessions (
    id         TEXT PRIMARY KEY,
    namespace  TEXT NOT NULL,
    script     TEXT NOT NULL,
    manifest   TEXT NOT NULL,
    expires_at INTEGER NOT NULL
  );
`;
