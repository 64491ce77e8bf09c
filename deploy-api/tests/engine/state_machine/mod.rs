//! Random sequences of changes, outside changes, faults and crashes. After each step the state of the upstream is compared with
//! what a model allows, and the records with the upstream.

mod check;
mod model;
mod place;
mod polls;
mod reads;
mod request;
mod run;
mod step;

use proptest::prelude::*;

use place::Place;
use run::Run;
use step::{Change, LIFETIME_DAYS, Other, Step};

#[test]
fn the_steps_are_executed() {
    let mut run = Run::new();
    for (place, change) in [
        (Place::Staging, Change::Deploy(1)),
        (Place::Staging, Change::Deploy(2)),
        (Place::Staging, Change::Rollback(None)),
        (Place::Staging, Change::PutSecret("TOKEN")),
        (Place::Production, Change::Promote),
        (Place::Staging, Change::Retry),
    ] {
        run.take(&Step::Change(place, change));
    }
    let served = |run: &Run, place| {
        run.served(place)
            .map(|served| (served.version, served.secrets.len()))
    };
    assert_eq!(
        (served(&run, Place::Staging), served(&run, Place::Production)),
        (Some((2, 1)), Some((1, 0)))
    );
    for (change, version) in [(Change::Overwrite, 2), (Change::Adopt, 10)] {
        run.take(&Step::DeployOutside(Place::Staging, 10));
        run.take(&Step::Change(Place::Staging, change));
        assert_eq!(run.served(Place::Staging).unwrap().version, version);
        assert!(!run.is_drift(Place::Staging));
    }
    run.end();
}

#[test]
fn the_steps_of_previews_and_of_the_account_are_executed() {
    let mut run = Run::new();
    let version = |run: &Run, place| run.served(place).map(|served| served.version);
    let first = Change::Preview(0);
    run.take(&Step::Change(Place::Staging, Change::Deploy(1)));
    run.take(&Step::Change(Place::PullRequest, Change::Deploy(2)));
    run.take(&Step::Change(Place::Staging, first.clone()));
    run.take(&Step::Pass(LIFETIME_DAYS * 24 * 60 * 60));
    let while_reconciling = |place, change| Step::AtOnce {
        place,
        change,
        other: Other::Reconcile,
        polls: 3,
    };
    run.take(&while_reconciling(Place::PullRequest, Change::Deploy(3)));
    assert_eq!(version(&run, Place::PullRequest), Some(3));
    assert_eq!(version(&run, Place::Deployment), None);
    run.take(&Step::AtOnce {
        place: Place::Deployment,
        change: first.clone(),
        other: Other::Change(first),
        polls: 5,
    });
    assert_eq!(version(&run, Place::Deployment), Some(1));

    for change in [Change::Deploy(4), Change::Deploy(3), Change::Rollback(None)] {
        for place in [Place::Dispatcher, Place::DeployApi] {
            run.take(&Step::Change(place, change.clone()));
        }
        assert!(run.is_open(Place::DeployApi));
        run.take(&Step::StartDeployApi);
        run.take(&Step::Reconcile);
    }
    for place in [Place::Dispatcher, Place::DeployApi] {
        assert_eq!(version(&run, place), Some(4));
        assert!(!run.is_drift(place));
    }
    // A version that does not start.
    run.take(&Step::Change(Place::DeployApi, Change::Deploy(1)));
    run.take(&Step::Reconcile);
    assert!(run.is_drift(Place::DeployApi));
    run.end();
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn the_records_agree_with_the_upstream(steps in step::steps()) {
        let mut run = Run::new();
        for step in &steps {
            run.take(step);
        }
        run.end();
    }
}
