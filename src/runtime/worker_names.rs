use std::cell::RefCell;
use std::collections::HashMap;

use wasm_bindgen::JsValue;

/// Worker names as JavaScript strings: making one costs more than the whole routing decision.
#[derive(Debug, Default)]
pub struct WorkerNames {
    strings: RefCell<HashMap<Box<str>, JsValue>>,
}

/// The most names that are kept; then all are let go. No isolate serves that many at once.
const CAPACITY: usize = 4096;

impl WorkerNames {
    /// The name as a JavaScript string.
    pub fn get(&self, name: &str) -> JsValue {
        let mut strings = self.strings.borrow_mut();
        if let Some(string) = strings.get(name) {
            return string.clone();
        }
        if strings.len() >= CAPACITY {
            strings.clear();
        }
        let string = JsValue::from_str(name);
        strings.insert(name.into(), string.clone());
        string
    }
}
