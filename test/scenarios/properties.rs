//! The properties of design §12 over random scenarios.

use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence, RngSeed};

use super::oracle::Oracle;
use super::script::{Gene, Script, genes};
use super::world::{Kinds, WorldGenes, world};

/// Cases of each of the four suites, unless `PROPTEST_CASES` says otherwise.
const CASES: u32 = 2_600;

/// Events of a scenario; each is up to a dozen commands or half a second of ticks.
const EVENTS: usize = 24;

/// The same scenarios in every run, unless `PROPTEST_RNG_SEED` says otherwise: a change is judged by
/// what it changes. Other seeds are for the night.
const SEED: u64 = 0x1e7e_110c;

fn config() -> Config {
    let mut config = Config { max_shrink_iters: 20_000, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = CASES;
    }
    if std::env::var_os("PROPTEST_RNG_SEED").is_none() {
        config.rng_seed = RngSeed::Fixed(SEED);
    }
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/test/scenarios/regressions.txt");
    config.failure_persistence = Some(Box::new(FileFailurePersistence::Direct(seeds)));
    config
}

fn play(world: &WorldGenes, events: &[Gene]) -> Result<(), TestCaseError> {
    let mut script = Script::new(world.build());
    let mut oracle = Oracle::new(&script.rig.rules, script.rig.boot);
    let mut judged = 0;
    for event in events {
        script.play(*event);
        for step in &script.rig.trace[judged..] {
            oracle.observe(step).map_err(|objection| {
                TestCaseError::fail(format!(
                    "{}: {}\nat {} ns: {:?}\n{:?}\nrules: {:#?}",
                    objection.property,
                    objection.text,
                    step.at,
                    step.what,
                    step.outputs,
                    script.rig.rules
                ))
            })?;
        }
        judged = script.rig.trace.len();
    }
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn position_lanes_keep_every_property(
        world in world(Kinds::Position), events in genes(EVENTS)
    ) {
        play(&world, &events)?;
    }

    #[test]
    fn velocity_lanes_keep_every_property(
        world in world(Kinds::Velocity), events in genes(EVENTS)
    ) {
        play(&world, &events)?;
    }

    #[test]
    fn trajectory_lanes_keep_every_property(
        world in world(Kinds::Trajectory), events in genes(EVENTS)
    ) {
        play(&world, &events)?;
    }

    #[test]
    fn mixed_lanes_keep_every_property(
        world in world(Kinds::Mixed), events in genes(EVENTS)
    ) {
        play(&world, &events)?;
    }
}
