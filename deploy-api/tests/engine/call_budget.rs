//! The limit of calls to the Cloudflare API.

use deploy_api::code::Code;
use deploy_api::deploys::CallBudget;
use deploy_api::problem::Problem;
use deploy_api::upstream::Purpose::{self, Change, Information};
use futures_executor::block_on;

use super::platform::{MessageFault, Platform};

fn take(budget: &CallBudget, platform: &Platform, purpose: Purpose) -> Result<(), Problem> {
    block_on(budget.take(platform, platform.cloud, purpose))
}

/// The number of calls that are allowed until one is refused, and the refusal.
fn allowed(budget: &CallBudget, platform: &Platform, purpose: Purpose) -> (u32, Problem) {
    let mut calls = 0;
    loop {
        match take(budget, platform, purpose) {
            Ok(()) => calls += 1,
            Err(problem) => return (calls, problem),
        }
    }
}

#[test]
fn a_quarter_of_the_calls_is_reserved_for_changes() {
    let platform = Platform::new();
    let (one, other) = (CallBudget::default(), CallBudget::default());
    let (calls, refused) = allowed(&one, &platform, Information);
    assert_eq!(calls, 900);
    assert_eq!(refused.code, Code::UpstreamRateLimited);
    assert!(
        refused.detail.contains("reserved for deploys"),
        "{}",
        refused.detail
    );
    assert_eq!(allowed(&other, &platform, Information).0, 0);
    assert_eq!(allowed(&other, &platform, Change).0, 300);
    let refused = allowed(&one, &platform, Change).1;
    assert!(refused.detail.contains("1200 calls"), "{}", refused.detail);
    platform.restart_ledger();
    assert_eq!(allowed(&one, &platform, Change).0, 0);

    platform.cloud.pass(i64::from(refused.retry_after.unwrap()) - 1);
    assert_eq!(allowed(&one, &platform, Change).0, 0);
    platform.cloud.pass(1);
    assert_eq!(allowed(&one, &platform, Information).0, 900);
}

#[test]
fn an_instance_reserves_several_calls_with_one_message_for_half_a_minute() {
    let platform = Platform::new();
    let budget = CallBudget::default();
    let messages = || {
        let sent = platform.sent.borrow();
        sent.iter().filter(|name| **name == "reserve-calls").count()
    };
    for _ in 0..5 {
        take(&budget, &platform, Change).unwrap();
    }
    assert_eq!(messages(), 1);
    take(&budget, &platform, Change).unwrap();
    assert_eq!(messages(), 2);
    platform.cloud.pass(30);
    take(&budget, &platform, Change).unwrap();
    assert_eq!(messages(), 3);
}

#[test]
fn a_reservation_with_a_lost_answer_is_counted_once() {
    let platform = Platform::new();
    let budget = CallBudget::default();
    *platform.messages.borrow_mut() = [MessageFault::AnswerLost, MessageFault::AnswerLost].into();
    assert_eq!(allowed(&budget, &platform, Change).0, 1200);
}
