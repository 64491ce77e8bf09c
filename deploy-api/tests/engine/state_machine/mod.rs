//! Random sequences of changes, outside changes, faults and crashes. After each step the state of the upstream is compared with
//! what a model allows, and the records with the upstream.

mod model;
mod run;
mod step;

use proptest::prelude::*;

use run::Run;
use step::{Change, Place, Step};

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
