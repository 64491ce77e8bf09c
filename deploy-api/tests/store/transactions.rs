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
fn a_failed_transaction_stores_nothing() {
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
fn a_failed_nested_transaction_rolls_back_only_itself() {
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
fn a_schema_migration_is_applied_once_and_atomically() {
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
