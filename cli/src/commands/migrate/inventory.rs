//! The account Workers, and what leads to them, as the deploy API reads them.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use clap::builder::{RangedU64ValueParser, TypedValueParser};
use deploy_api::v1::types::{
    AccountHost, AccountHosts, AccountQueues, AccountWorker, ListedAccountWorker, QueueConsumer, Unreadable,
};

use crate::client::{Client, with_parameters};
use crate::failure::Failure;

/// What is known of the account.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// The Workers, by name.
    pub workers: Vec<AccountWorker>,
    /// The routes and custom domains.
    pub hosts: Vec<AccountHost>,
    /// The addresses at workers.dev, with `{worker}` in place of the name.
    pub workers_dev_url: Option<String>,
    /// The Workers that consume queues.
    pub consumers: Vec<QueueConsumer>,
    /// What is not known of the account as a whole.
    pub unknown: Vec<Unreadable>,
}

impl Inventory {
    /// Reads everything: one call for each Worker, `parallel` at a time.
    ///
    /// # Errors
    /// If a call fails. What the Cloudflare token of the deploy API may not read is not an error.
    pub fn read(client: &Client, parallel: usize) -> Result<Self, Failure> {
        let listed: Vec<ListedAccountWorker> = client.items("/v1/account/workers", &[], None)?.value;
        let mut inventory = Self::default();
        let hosts = account_hosts(client)?;
        inventory.hosts = hosts.items;
        inventory.workers_dev_url = hosts.workers_dev_url;
        inventory.unknown = hosts.unknown;
        inventory.read_queues(client)?;
        let details = each(&listed, parallel, |listed| {
            client.get::<AccountWorker>(&format!("/v1/account/workers/{}", listed.name))
        });
        for detail in details {
            match detail {
                Ok(answer) => inventory.workers.push(answer.value),
                // It was deleted meanwhile.
                Err(failure) if failure.is("ACCOUNT_WORKER_UNKNOWN") => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(inventory)
    }

    fn read_queues(&mut self, client: &Client) -> Result<(), Failure> {
        let mut cursor = None;
        loop {
            let path = with_parameters("/v1/account/queues", &[("cursor", cursor)]);
            let page: AccountQueues = client.get(&path)?.value;
            self.consumers.extend(page.items);
            self.unknown.extend(page.unknown);
            cursor = page.cursor;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }

    /// Whether some queue consumers are not known.
    pub fn misses_queues(&self) -> bool {
        self.unknown
            .iter()
            .any(|unknown| unknown.what == "queue consumers")
    }
}

/// The routes and custom domains of all zones, and what is not known of them.
///
/// # Errors
/// If a call fails.
pub fn account_hosts(client: &Client) -> Result<AccountHosts, Failure> {
    let mut all: AccountHosts = client.get("/v1/account/hosts")?.value;
    while let Some(cursor) = all.cursor.take() {
        let page: AccountHosts = client
            .get(&with_parameters("/v1/account/hosts", &[("cursor", Some(cursor))]))?
            .value;
        all.items.extend(page.items);
        all.unknown.extend(page.unknown);
        all.cursor = page.cursor;
    }
    Ok(all)
}

/// Parses a number of calls at a time: 1 to 64.
pub fn parallel() -> impl TypedValueParser<Value = usize> {
    RangedU64ValueParser::<usize>::new().range(1..=64)
}

/// Does something with each item, several at a time. The results have the order of the items.
pub fn each<T: Sync, R: Send>(items: &[T], parallel: usize, action: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..parallel.clamp(1, items.len().max(1)) {
            scope.spawn(|| {
                while let Some((index, item)) = {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    items.get(index).map(|item| (index, item))
                } {
                    let result = action(item);
                    if let Ok(mut results) = results.lock() {
                        results.push((index, result));
                    }
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_default();
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_have_the_order_of_the_items() {
        let items: Vec<u32> = (0..50).collect();
        let doubled: Vec<u32> = items.iter().map(|item| item * 2).collect();
        for parallel in [0, 1, 7, 100] {
            assert_eq!(each(&items, parallel, |item| item * 2), doubled);
        }
        assert!(each(&[] as &[u32], 4, |item| *item).is_empty());
    }
}
