//! Streams of bytes, read one chunk at a time.

use bytes::Bytes;
use js_sys::{Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStream, ReadableStreamDefaultReader};

#[wasm_bindgen]
extern "C" {
    /// A `ReadableStream`, whose `getReader` throws if the stream is not one of bytes. `web_sys` does not catch that.
    type ByteStream;

    #[wasm_bindgen(method, catch, js_name = getReader)]
    fn get_reader(this: &ByteStream, options: &Object) -> Result<ByteReader, JsValue>;

    /// A `ReadableStreamBYOBReader` with the runtime's `readAtLeast`, which `web_sys` does not have.
    /// <https://developers.cloudflare.com/workers/runtime-apis/streams/readablestreambyobreader/>
    type ByteReader;

    #[wasm_bindgen(method, catch, js_name = readAtLeast)]
    fn read_at_least(this: &ByteReader, minimum: u32, buffer: &Uint8Array) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method)]
    fn cancel(this: &ByteReader) -> Promise;
}

/// The length of a chunk in bytes; only the last one is shorter.
const CHUNK: u32 = 64 * 1024;

/// The chunks of a stream. At most one of them is copied into the Wasm memory at a time.
///
/// `worker::ByteStream` is not used because it treats an aborted stream as one that has ended, and because it gets chunks of 4
/// KiB.
pub struct Chunks {
    reader: Reader,
}

enum Reader {
    /// Of a stream that the runtime provides.
    Bytes(ByteReader),
    /// Of a stream that JavaScript provides: its chunks have any length.
    Any(ReadableStreamDefaultReader),
}

/// Why a stream was not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It has more bytes than the limit.
    TooLong,
    /// It failed.
    Interrupted,
}

impl Chunks {
    /// Locks a stream that has no other reader.
    pub fn of(stream: &ReadableStream) -> Self {
        let options = Object::new();
        let reader = Reflect::set(&options, &"mode".into(), &"byob".into())
            .and_then(|_| stream.unchecked_ref::<ByteStream>().get_reader(&options));
        Self {
            reader: match reader {
                Ok(reader) => Reader::Bytes(reader),
                Err(_) => Reader::Any(stream.get_reader().unchecked_into()),
            },
        }
    }

    /// The next chunk, or `None` at the end.
    pub async fn next(&self) -> Result<Option<Bytes>, Unread> {
        let chunk = self.next_array().await.map_err(|_| Unread::Interrupted)?;
        Ok(chunk.map(|chunk| Bytes::from(chunk.to_vec())))
    }

    async fn next_array(&self) -> Result<Option<Uint8Array>, JsValue> {
        let step = match &self.reader {
            Reader::Bytes(reader) => reader.read_at_least(CHUNK, &Uint8Array::new_with_length(CHUNK))?,
            Reader::Any(reader) => reader.read(),
        };
        let step = JsFuture::from(step).await?;
        let value = Reflect::get(&step, &"value".into())?;
        // The last read may return both the last bytes and the end.
        let chunk = value.dyn_into::<Uint8Array>().ok();
        if let Some(chunk) = chunk.filter(|chunk| chunk.length() > 0) {
            return Ok(Some(chunk));
        }
        if Reflect::get(&step, &"done".into())?.is_truthy() {
            return Ok(None);
        }
        Ok(Some(Uint8Array::new_with_length(0)))
    }

    /// Reads the next chunk without copying it into the Wasm memory, and returns its length, or `None` at the end.
    pub async fn skip(&self) -> Result<Option<u32>, Unread> {
        let chunk = self.next_array().await.map_err(|_| Unread::Interrupted)?;
        Ok(chunk.map(|chunk| chunk.length()))
    }

    /// Reads the whole stream, or until it has more than `limit` bytes; the rest is then cancelled.
    pub async fn read_all(self, limit: usize) -> Result<Vec<u8>, Unread> {
        let mut bytes = Vec::new();
        while let Some(chunk) = self.next_array().await.map_err(|_| Unread::Interrupted)? {
            let begin = bytes.len();
            let end = begin.saturating_add(chunk.length() as usize);
            if end > limit {
                self.cancel();
                return Err(Unread::TooLong);
            }
            bytes.resize(end, 0);
            if let Some(space) = bytes.get_mut(begin..end) {
                chunk.copy_to(space);
            }
        }
        Ok(bytes)
    }

    /// Reads the first bytes of the stream, at most `limit`: fewer if it ends or fails before. The rest is cancelled.
    pub async fn read_beginning(self, limit: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < limit {
            let Ok(Some(chunk)) = self.next().await else {
                return bytes;
            };
            bytes.extend_from_slice(&chunk);
        }
        self.cancel();
        bytes.truncate(limit);
        bytes
    }

    /// Cancels the stream: the rest is not read.
    pub fn cancel(&self) {
        // The future of the promise is dropped: nothing depends on how the cancellation ends.
        drop(JsFuture::from(match &self.reader {
            Reader::Bytes(reader) => reader.cancel(),
            Reader::Any(reader) => reader.cancel(),
        }));
    }
}
