use wasm_bindgen::JsCast;

use super::bindings::Fetcher;
use super::fetch::{Outgoing, send};
use super::surroundings::Surroundings;
use crate::identity::oidc::{FetchFailed, KeySource};

/// How long an issuer may take, in milliseconds.
const TIMEOUT: u32 = 10_000;

/// The most of an issuer's answer that is read, in bytes; the keyring takes 64 KiB.
const LONGEST: usize = 64 * 1024;

impl KeySource for Surroundings {
    async fn get(&self, address: &str) -> Result<Vec<u8>, FetchFailed> {
        let outgoing = Outgoing {
            method: "GET",
            url: address,
            headers: &[("accept", "application/json"), ("user-agent", "dotdo-deploy-api")],
            body: &[],
            timeout: TIMEOUT,
        };
        let internet: Fetcher = js_sys::global().unchecked_into();
        let answer = send(&internet, &outgoing).await.map_err(|_| FetchFailed)?;
        if answer.status() != 200 {
            answer.drop_body();
            return Err(FetchFailed);
        }
        answer.read(LONGEST).await.map_err(|_| FetchFailed)
    }
}
