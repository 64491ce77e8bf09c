use deploy_api::sql::{Migration, Sql, SqlError, Value, migrate};

use crate::support::sqlite::Sqlite;

fn note(sql: &Sqlite, text: &str) -> Result<(), SqlError> {
    sql.exec("INSERT INTO notes (text) VALUES (?)", &[Value::from(text)])
        .map(drop)
}

fn notes() -> Sqlite {
    let sqlite = Sqlite::new();
    sqlite.tamper("CREATE TABLE notes (text TEXT PRIMARY KEY)");
    sqlite
}

#[test]
fn what_fails_leaves_nothing_behind() {
    let sqlite = notes();
    let outcome = sqlite.transaction(|| {
        note(&sqlite, "one")?;
        note(&sqlite, "one")
    });
    assert!(
        outcome
            .unwrap_err()
            .to_string()
            .contains("UNIQUE constraint failed")
    );
    assert_eq!(sqlite.count("notes"), 0);
}

#[test]
fn an_inner_failure_undoes_the_inner_part_only() {
    let sqlite = notes();
    sqlite
        .transaction(|| {
            note(&sqlite, "outer")?;
            let inner = sqlite.transaction(|| {
                note(&sqlite, "inner")?;
                note(&sqlite, "outer")
            });
            assert!(inner.is_err());
            Ok::<(), SqlError>(())
        })
        .unwrap();
    assert_eq!(sqlite.count("notes"), 1);
}

#[test]
fn a_step_of_the_schema_is_applied_once_and_as_a_whole() {
    let sqlite = Sqlite::new();
    let good = Migration {
        name: "t-1",
        statements: &["CREATE TABLE t (a INTEGER)", "INSERT INTO t VALUES (1)"],
    };
    let bad = Migration {
        name: "t-2",
        statements: &["INSERT INTO t VALUES (2)", "CREATE TABLE t (a INTEGER)"],
    };
    migrate(&sqlite, &[good]).unwrap();
    migrate(&sqlite, &[good]).unwrap();
    assert_eq!(sqlite.count("t"), 1);
    assert!(migrate(&sqlite, &[good, bad]).is_err());
    assert_eq!(sqlite.count("t"), 1);
}
