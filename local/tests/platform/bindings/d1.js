import { results } from "./results.js";

/** All operations, in the order in which they run. `db` is an empty database. */
function operations(db) {
  return [...shape(db), ...tables(db), ...values(db), ...reads(db), ...errors(db), ...batches(db), ...executions(db), ...sessions(db), ...sql(db)];
}

/** The description of a result, without durations. */
function outcome(result) {
  if (result === null || typeof result !== "object") return result;
  const { meta, ...rest } = result;
  if (meta === undefined) return rest;
  const { duration, timings, ...counts } = meta;
  return { ...rest, meta: { ...counts, duration: typeof duration, timings: timings && typeof timings.sql_duration_ms } };
}

function shape(db) {
  const members = ["prepare", "batch", "exec", "dump", "withSession"];
  const statement = db.prepare("SELECT 1");
  return [
    ["the name of the class", () => db.constructor.name],
    ["own members", () => Object.keys(db)],
    ...members.map((member) => [`typeof ${member}`, () => typeof db[member]]),
    ["the prototype's members", () => Object.getOwnPropertyNames(Object.getPrototypeOf(db)).sort()],
    ["the class of a statement", () => statement.constructor.name],
    ["the members of a statement", () => Object.getOwnPropertyNames(Object.getPrototypeOf(statement)).sort()],
    ["own members of a statement", () => Object.keys(statement)],
    ["the class of a session", () => db.withSession().constructor.name],
    ["bind returns another statement", () => statement.bind() !== statement],
  ];
}

function tables(db) {
  const run = (text) => db.prepare(text).run().then(outcome);
  return [
    ["create a table", () => run("CREATE TABLE people (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, age INTEGER, data BLOB, score REAL)")],
    ["create it again", () => run("CREATE TABLE people (id INTEGER)")],
    ["create an index", () => run("CREATE UNIQUE INDEX names ON people (name)")],
    ["create a view", () => run("CREATE VIEW adults AS SELECT * FROM people WHERE age >= 18")],
    ["create a trigger", () => run("CREATE TRIGGER older AFTER UPDATE ON people BEGIN UPDATE people SET score = coalesce(score, 0) + 1 WHERE id = new.id; END")],
    ["create a table without rowid", () => run("CREATE TABLE pairs (a TEXT, b TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID")],
    ["create a strict table", () => run("CREATE TABLE strict_numbers (n INTEGER) STRICT")],
    ["create a table with foreign keys", () => run("CREATE TABLE pets (name TEXT, owner INTEGER REFERENCES people(id) ON DELETE CASCADE)")],
    ["create a virtual table", () => run("CREATE VIRTUAL TABLE notes USING fts5(body)")],
    ["the tables", () => db.prepare("SELECT type, name FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\' ORDER BY name").raw()],
    ["table_info", () => db.prepare("PRAGMA table_info(people)").all().then(({ results }) => results)],
    ["table_list", () => db.prepare("PRAGMA table_list").all().then(({ results }) => results.map(({ name }) => name).sort())],
    ...["foreign_keys", "user_version", "journal_mode", "table_xinfo(people)", "index_list(people)", "quick_check"].map((pragma) => [
      `PRAGMA ${pragma}`,
      () => db.prepare(`PRAGMA ${pragma}`).raw(),
    ]),
  ];
}

function values(db) {
  const values = {
    text: "text",
    "an empty text": "",
    umlauts: "äöü 🦊",
    "a text with a zero": "a\0b",
    "a quote": "it's",
    integer: 42,
    "a negative integer": -1,
    zero: 0,
    "a negative zero": -0,
    float: 1.5,
    "a large float": 1e300,
    "the largest safe integer": Number.MAX_SAFE_INTEGER,
    "2^53": 2 ** 53,
    "2^63": 2 ** 63,
    NaN: Number.NaN,
    Infinity: Number.POSITIVE_INFINITY,
    null: null,
    undefined,
    true: true,
    false: false,
    "a bigint": 7n,
    "an ArrayBuffer": Uint8Array.of(1, 2, 255).buffer,
    "an empty ArrayBuffer": new ArrayBuffer(0),
    "a Uint8Array": Uint8Array.of(0, 127, 128),
    "a part of an array": Uint8Array.of(0, 1, 2, 3).subarray(1, 3),
    "a Uint16Array": Uint16Array.of(1, 258),
    "a DataView": new DataView(Uint8Array.of(1, 2, 3).buffer, 1),
    "an array of numbers": [1, 2, 3],
    "an array of texts": ["a"],
    "an empty array": [],
    "an object": { a: 1 },
    "a date": new Date(0),
    "a function": () => 1,
    "a symbol": Symbol("s"),
    "a Map": new Map(),
  };
  return Object.entries(values).flatMap(([label, value]) => [
    [`select ${label}`, () => db.prepare("SELECT ? AS value, typeof(?1) AS type").bind(value).first()],
    [`store and read ${label}`, async () => {
      await db.prepare("INSERT INTO people (name, age, data, score) VALUES (?, ?, ?, ?)").bind(`v ${label}`, value, value, value).run();
      return await db.prepare("SELECT age, data, score, typeof(age), typeof(data) FROM people WHERE name = ?").bind(`v ${label}`).raw();
    }],
  ]);
}

function reads(db) {
  const all = (text, ...bound) => db.prepare(text).bind(...bound).all().then(outcome);
  return [
    ["delete all", () => db.prepare("DELETE FROM people").run().then(outcome)],
    ["insert", () => db.prepare("INSERT INTO people (name, age) VALUES (?, ?), (?, ?), (?, ?)").bind("Ada", 36, "Bo", 7, "Cy", null).run().then(outcome)],
    ["insert with RETURNING", () => all("INSERT INTO people (name, age) VALUES ('Di', 50) RETURNING name, age")],
    ["all", () => all("SELECT name, age FROM people ORDER BY name")],
    ["all of nothing", () => all("SELECT * FROM people WHERE 0")],
    ["run of a select", () => db.prepare("SELECT name FROM people ORDER BY name").run().then(outcome)],
    ["first", () => db.prepare("SELECT name, age FROM people ORDER BY name").first()],
    ["first of a column", () => db.prepare("SELECT name, age FROM people ORDER BY name").first("age")],
    ["first of an unknown column", () => db.prepare("SELECT name FROM people").first("colour")],
    ["first of nothing", () => db.prepare("SELECT name FROM people WHERE 0").first()],
    ["first of a column of nothing", () => db.prepare("SELECT name FROM people WHERE 0").first("name")],
    ["first of null", () => db.prepare("SELECT NULL AS n").first("n")],
    ["raw", () => db.prepare("SELECT name, age FROM people ORDER BY name").raw()],
    ["raw with column names", () => db.prepare("SELECT name, age FROM people ORDER BY name").raw({ columnNames: true })],
    ["raw of nothing with column names", () => db.prepare("SELECT name, age FROM people WHERE 0").raw({ columnNames: true })],
    ["raw of two columns with one name", () => db.prepare("SELECT 1 AS x, 2 AS x").raw({ columnNames: true })],
    ["all of two columns with one name", () => db.prepare("SELECT 1 AS x, 2 AS x").all().then(({ results }) => results)],
    ["a column without a name", () => db.prepare("SELECT 1 + 1").first()],
    ["numbered parameters", () => db.prepare("SELECT ?2 AS b, ?1 AS a").bind("a", "b").first()],
    ["one parameter twice", () => db.prepare("SELECT ?1 AS x, ?1 AS y").bind(1).first()],
    ["named parameters", () => db.prepare("SELECT :name AS name").bind("a").first()],
    ["too few parameters", () => db.prepare("SELECT ? AS a, ? AS b").bind(1).first()],
    ["too many parameters", () => db.prepare("SELECT ? AS a").bind(1, 2).first()],
    ["no bind", () => db.prepare("SELECT ? AS a").first()],
    ["bind twice", () => db.prepare("SELECT ? AS a").bind(1).bind(2).first()],
    ["a statement twice", async () => {
      const statement = db.prepare("SELECT count(*) AS n FROM people");
      return [await statement.first("n"), await statement.first("n")];
    }],
    ["a statement with two bindings", async () => {
      const statement = db.prepare("SELECT age FROM people WHERE name = ?");
      return [await statement.bind("Ada").first("age"), await statement.bind("Bo").first("age")];
    }],
    ["update", () => db.prepare("UPDATE people SET age = age + 1 WHERE age IS NOT NULL").run().then(outcome)],
    ["the trigger ran", () => db.prepare("SELECT name, score FROM people ORDER BY name").raw()],
    ["the view", () => db.prepare("SELECT name FROM adults ORDER BY name").raw()],
    ["upsert", () => db.prepare("INSERT INTO people (name, age) VALUES ('Ada', 1) ON CONFLICT (name) DO UPDATE SET age = 99").run().then(outcome)],
    ["replace", () => db.prepare("REPLACE INTO people (name, age) VALUES ('Bo', 8)").run().then(outcome)],
    ["delete one", () => db.prepare("DELETE FROM people WHERE name = 'Cy'").run().then(outcome)],
    ["delete with RETURNING", () => all("DELETE FROM people WHERE name = 'Di' RETURNING name")],
    ["a cascade", async () => {
      const owner = await db.prepare("SELECT id FROM people WHERE name = 'Ada'").first("id");
      await db.prepare("INSERT INTO pets VALUES ('Rex', ?)").bind(owner).run();
      await db.prepare("DELETE FROM people WHERE id = ?").bind(owner).run();
      return await db.prepare("SELECT count(*) AS n FROM pets").first("n");
    }],
    ["full-text search", async () => {
      await db.prepare("INSERT INTO notes VALUES ('the quick brown fox'), ('a lazy dog')").run();
      return await db.prepare("SELECT body FROM notes WHERE notes MATCH 'fox'").raw();
    }],
    ["1000 rows", async () => {
      await db.prepare("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) INSERT INTO pairs SELECT i, i * 2 FROM n").run();
      const { results, meta } = await db.prepare("SELECT * FROM pairs").all();
      return [results.length, meta.rows_read];
    }],
  ];
}

function errors(db) {
  const statements = {
    "a syntax error": "SELEC 1",
    "an unknown table": "SELECT * FROM nothing",
    "an unknown column": "SELECT colour FROM people",
    "an empty text": "",
    "a comment": "-- nothing",
    "two statements": "SELECT 1; SELECT 2",
    "a constraint": "INSERT INTO people (age) VALUES (1)",
    "a wrong type in a strict table": "INSERT INTO strict_numbers VALUES ('a')",
    "a foreign key": "INSERT INTO pets VALUES ('Rex', 123456)",
    BEGIN: "BEGIN",
    COMMIT: "COMMIT",
    ROLLBACK: "ROLLBACK",
    SAVEPOINT: "SAVEPOINT s",
    ATTACH: "ATTACH 'x' AS x",
    VACUUM: "VACUUM",
    "a PRAGMA that is not allowed": "PRAGMA writable_schema = ON",
    "a function that does not exist": "SELECT nothing(1)",
    "load_extension": "SELECT load_extension('x')",
    "an internal table": "SELECT * FROM _cf_KV",
    "division by zero": "SELECT 1 / 0 AS n",
    "invalid JSON": "SELECT json('{')",
    "a long statement": `SELECT '${"x".repeat(100_001)}' AS x`,
  };
  return [
    ...Object.entries(statements).flatMap(([label, text]) => [
      [`run ${label}`, () => db.prepare(text).run().then((result) => outcome({ ...result, results: result.results?.length }))],
      [`first row of ${label}`, () => db.prepare(text).first().then((row) => JSON.stringify(row)?.length)],
    ]),
    ["a unique constraint", async () => {
      await db.prepare("INSERT OR IGNORE INTO people (name) VALUES ('Once')").run();
      await db.prepare("INSERT INTO people (name) VALUES ('Once')").run();
    }],
    ["the cause of an error", async () => {
      try {
        await db.prepare("SELECT * FROM nothing").run();
      } catch (error) {
        return [error.message, error.cause?.message ?? null];
      }
    }],
    ["prepare without a text", () => db.prepare().first()],
    ["prepare of a number", () => db.prepare(1).first()],
    ["prepare of null", () => db.prepare(null).first()],
  ];
}

function batches(db) {
  const insert = db.prepare("INSERT INTO people (name, age) VALUES (?, ?)");
  const count = db.prepare("SELECT count(*) AS n FROM people WHERE name LIKE 'batch %'");
  const summary = (list) => list.map(outcome);
  return [
    ["a batch", () => db.batch([insert.bind("batch 1", 1), insert.bind("batch 2", 2), count]).then(summary)],
    ["a batch of one", () => db.batch([count]).then(summary)],
    ["an empty batch", () => db.batch([])],
    ["a batch that fails", () => db.batch([insert.bind("batch 3", 3), db.prepare("SELECT * FROM nothing")])],
    ["a batch that fails changes nothing", () => count.first("n")],
    ["a batch with a constraint", () => db.batch([insert.bind("batch 4", 4), insert.bind("batch 1", 1)])],
    ["a batch with a constraint changes nothing", () => count.first("n")],
    ["a batch of 100", () => db.batch(Array.from({ length: 100 }, (_, index) => insert.bind(`batch many ${index}`, index))).then((list) => list.length)],
    ["a batch of texts", () => db.batch(["SELECT 1"])],
    ["a batch that is no array", () => db.batch(count)],
    ["a batch without arguments", () => db.batch()],
    ["twenty statements at once", async () => {
      await Promise.all(Array.from({ length: 20 }, (_, index) => insert.bind(`batch at once ${index}`, index).run()));
      return await count.first("n");
    }],
  ];
}

function executions(db) {
  const exec = async (text) => {
    const { count, duration, ...rest } = await db.exec(text);
    return { count, duration: typeof duration, rest };
  };
  return [
    ["exec of one statement", () => exec("CREATE TABLE executed (a)")],
    ["exec of two lines", () => exec("INSERT INTO executed VALUES (1)\nINSERT INTO executed VALUES (2)")],
    ["exec of two statements in a line", () => exec("INSERT INTO executed VALUES (3); INSERT INTO executed VALUES (4)")],
    ["what exec inserted", () => db.prepare("SELECT a FROM executed").raw()],
    ["exec of a statement over two lines", () => exec("SELECT\n1")],
    ["exec of nothing", () => exec("")],
    ["exec of empty lines", () => exec("\n\n")],
    ["exec of an error", () => exec("INSERT INTO executed VALUES (5)\nSELEC")],
    ["what the failed exec inserted", () => db.prepare("SELECT count(*) AS n FROM executed").first("n")],
    ["exec without arguments", () => exec()],
    ["dump", async () => (await db.dump()).byteLength],
  ];
}

function sessions(db) {
  const constraints = ["first-primary", "first-unconstrained", undefined, null, "", "00000000-00000000-00000000-00000000000000000000000000000000", "nonsense", 7];
  return [
    ...constraints.map((constraint) => [
      `a session with ${JSON.stringify(constraint) ?? "undefined"}`,
      async () => {
        const session = db.withSession(constraint);
        const before = session.getBookmark();
        const value = await session.prepare("SELECT 1 AS x").first("x");
        return [before, value, typeof session.getBookmark()];
      },
    ]),
    ["the members of a session", () => Object.getOwnPropertyNames(Object.getPrototypeOf(db.withSession())).sort()],
    ["a batch in a session", async () => {
      const session = db.withSession();
      const list = await session.batch([session.prepare("SELECT 1 AS x"), session.prepare("SELECT ? AS y").bind(2)]);
      return list.map(({ results }) => results);
    }],
    ["a write and a read in a session", async () => {
      const session = db.withSession("first-primary");
      await session.prepare("INSERT INTO executed VALUES ('session')").run();
      return await session.prepare("SELECT count(*) AS n FROM executed WHERE a = 'session'").first("n");
    }],
    ["a session that continues another", async () => {
      const first = db.withSession();
      await first.prepare("SELECT 1").run();
      return await db.withSession(first.getBookmark()).prepare("SELECT 3 AS x").first("x");
    }],
  ];
}

function sql(db) {
  const expressions = {
    json: `json_extract('{"a":[1,2]}', '$.a[1]')`,
    json_group_array: "(SELECT json_group_array(value) FROM json_each('[1,2]'))",
    "the json arrow": `'{"a":1}' ->> 'a'`,
    math: "round(sqrt(2), 3)",
    date: "date(0, 'unixepoch')",
    strftime: "strftime('%Y', 0, 'unixepoch')",
    printf: "printf('%05.2f', 3.14159)",
    hex: "hex('ab')",
    unhex: "unhex('6162')",
    like: "'ABC' LIKE 'abc'",
    glob: "'abc' GLOB 'a*'",
    concat: "'a' || 1",
    coalesce: "coalesce(NULL, 'x')",
    cast: "CAST('12abc' AS INTEGER)",
    "a large integer": "9007199254740993",
    "the largest integer": "9223372036854775807",
    "an overflow": "9223372036854775807 + 1",
    blob: "x'0102'",
    zeroblob: "zeroblob(3)",
    boolean: "TRUE",
    infinity: "9e999",
    case: "CASE WHEN 1 THEN 'a' ELSE 'b' END",
    "a window function": "(SELECT sum(value) OVER () FROM json_each('[1,2]') LIMIT 1)",
    iif: "iif(0, 1, 2)",
    instr: "instr('hello', 'l')",
    "group_concat": "(SELECT group_concat(value, '-') FROM json_each('[1,2]'))",
    typeof: "typeof(1.0)",
    changes: "changes() >= 0",
    quote: "quote('it''s')",
    nullif: "nullif(1, 1)",
    "a comparison of types": "'1' = 1",
    unicode: "unicode('🦊')",
    char: "char(65, 246)",
    upper: "upper('äa')",
    length: "length('🦊')",
  };
  return Object.entries(expressions).map(([label, expression]) => [
    `the expression ${label}`,
    () => db.prepare(`SELECT ${expression} AS value`).first("value"),
  ]);
}

export default {
  async fetch(request, env) {
    return Response.json(await results(operations(env.DB)));
  },
};
