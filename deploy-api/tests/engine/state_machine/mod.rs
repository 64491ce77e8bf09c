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
    let served = |place| {
        run.served(place)
            .map(|served| (served.version, served.secrets.len()))
    };
    assert_eq!(
        (served(Place::Staging), served(Place::Production)),
        (Some((2, 1)), Some((1, 0)))
    );
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
