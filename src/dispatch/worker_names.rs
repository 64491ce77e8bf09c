use std::cell::RefCell;

use wasm_bindgen::JsValue;

/// Worker names as JavaScript strings: creating one costs more than the whole routing decision.
#[derive(Debug, Default)]
pub struct WorkerNames {
    /// Sorted by name. A hash map is not faster for so few names, and adds a kilobyte to the Worker.
    strings: RefCell<Vec<(Box<str>, JsValue)>>,
}

/// The maximum number of names; then the cache is emptied. An isolate rarely serves that many.
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
