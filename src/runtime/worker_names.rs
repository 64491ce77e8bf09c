use std::cell::RefCell;

use wasm_bindgen::JsValue;

/// Worker names as JavaScript strings: making one costs more than the whole routing decision.
#[derive(Debug, Default)]
pub struct WorkerNames {
    /// Sorted by name: a search costs about what a hash would, and takes a tenth of the code.
    strings: RefCell<Vec<(Box<str>, JsValue)>>,
}

/// The most names that are kept; then all are let go. No isolate serves that many at once.
const CAPACITY: usize = 4096;

impl WorkerNames {
    /// The name as a JavaScript string.
    pub fn get(&self, name: &str) -> JsValue {
        let mut strings = self.strings.borrow_mut();
        let mut position = strings.binary_search_by(|(known, _)| (**known).cmp(name));
        if let Ok(position) = position
            && let Some((_, string)) = strings.get(position)
        {
            return string.clone();
        }
        if strings.len() >= CAPACITY {
            strings.clear();
            position = Err(0);
        }
        let string = JsValue::from_str(name);
        let position = position.unwrap_or_else(|position| position);
        strings.insert(position, (name.into(), string.clone()));
        string
    }
}
