//! Replays the fuzzing corpus through the properties of the fuzz targets.

use std::{fs, path::Path};

use crate::properties;

fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let mut inputs = 0;
    for entry in fs::read_dir(&folder).expect("the corpus is readable") {
        let path = entry.unwrap().path();
        let input = fs::read(&path).unwrap();
        // The panic does not name the input, so it is caught to report the file.
        let result = std::panic::catch_unwind(|| check(&input));
        assert!(result.is_ok(), "{} violates a property", path.display());
        inputs += 1;
    }
    assert!(inputs >= 50, "the corpus of {target} has only {inputs} inputs");
}

#[test]
fn urls() {
    replay("url", properties::url::check);
}

#[test]
fn routes() {
    replay("routes", properties::routes::check);
}
