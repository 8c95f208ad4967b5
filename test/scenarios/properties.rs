//! The properties of design §12 over random scenarios.
//!
//! Four suites, one for each kind of lane and one of all kinds. Each replays the seeds of cases that
//! once failed, then plays [`CASES`] new ones, and the oracle judges every step. At the end a suite
//! prints how many cases it played and what happened in them, and fails if too little did: a suite
//! in which nothing moves would keep every property.

use std::cell::RefCell;
use std::fmt;

use proptest::test_runner::{Config, FileFailurePersistence, RngSeed, TestCaseError, TestRunner};

use interlock::gate::verdict::Verdict;

use super::oracle::Oracle;
use super::script::{Gene, Script, genes};
use super::trace::{From, Step, What};
use super::world::{Kinds, WorldGenes, world};

/// Cases of each suite, unless `PROPTEST_CASES` says otherwise.
const CASES: u32 = 2_600;

const SUITES: u32 = 4;

const _: () = assert!(SUITES * CASES >= 10_000, "design: ten thousand cases in every run");

/// Events of a scenario; each is up to a dozen commands or half a second of ticks.
const EVENTS: usize = 24;

/// The same scenarios in every run, unless `PROPTEST_RNG_SEED` says otherwise: a change is judged by
/// what it changes. Other seeds are for the night.
const SEED: u64 = 0x1e7e_110c;

const REGRESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/test/scenarios/regressions.txt");

fn config() -> Config {
    let mut config = Config { max_shrink_iters: 20_000, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = CASES;
    }
    if std::env::var_os("PROPTEST_RNG_SEED").is_none() {
        config.rng_seed = RngSeed::Fixed(SEED);
    }
    config.failure_persistence = Some(Box::new(FileFailurePersistence::Direct(REGRESSIONS)));
    config
}

/// What happened in the cases of a suite.
#[derive(Default)]
struct Tally {
    cases: usize,
    steps: usize,
    armed: usize,
    killed: usize,
    safe: usize,
    verdicts: [usize; Verdict::ALL.len()],
}

impl Tally {
    fn count(&mut self, step: &Step) {
        self.steps += 1;
        self.armed += usize::from(matches!(step.what, What::Arm { result: Ok(()), .. }));
        self.killed += usize::from(matches!(step.what, What::Kill));
        if let What::Command(received) = &step.what {
            self.verdicts[received.verdict.index()] += 1;
        }
        let safe = |from| matches!(from, From::Safe(_));
        self.safe += step.outputs.iter().filter(|output| safe(output.from)).count();
    }

    /// Much of everything happened.
    fn check(&self, cases: u32, seeds: usize) {
        let cases = usize::try_from(cases).unwrap();
        assert_eq!(self.cases, cases + seeds, "every case and every old seed is played");
        if cases < 100 {
            return;
        }
        assert!(self.steps > 100 * cases, "{self}");
        assert!(self.armed > cases / 2 && self.killed > cases / 4, "{self}");
        assert!(self.safe > 10 * cases, "{self}");
        let plenty = self.verdicts.iter().all(|count| *count > cases / 4);
        assert!(plenty, "too few of a verdict: {self}");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cases, steps, armed, killed, safe, verdicts } = self;
        write!(f, "{cases} cases: {steps} steps, {armed} arms, {killed} kills, ")?;
        write!(f, "{safe} safe commands; commands:")?;
        for (verdict, count) in Verdict::ALL.iter().zip(verdicts) {
            write!(f, " {count} {verdict}")?;
        }
        Ok(())
    }
}

fn play(world: &WorldGenes, events: &[Gene], tally: &mut Tally) -> Result<(), TestCaseError> {
    let mut script = Script::new(world.build());
    let mut oracle = Oracle::new(&script.rig.rules, script.rig.boot);
    let mut judged = 0;
    tally.cases += 1;
    if world.begins_ready() {
        script.try_ready();
    }
    let first = std::iter::once(None);
    for event in first.chain(events.iter().map(Some)) {
        event.into_iter().for_each(|event| script.play(*event));
        for step in &script.rig.trace[judged..] {
            tally.count(step);
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

fn seeds() -> usize {
    let text = std::fs::read_to_string(REGRESSIONS).expect("the file of old seeds");
    text.lines().filter(|line| line.starts_with("cc ")).count()
}

fn suite(kinds: Kinds) {
    let config = config();
    let (cases, seeds) = (config.cases, seeds());
    let mut runner = TestRunner::new(config);
    let tally = RefCell::new(Tally::default());
    let run = runner.run(&(world(kinds), genes(EVENTS)), |(world, events)| {
        play(&world, &events, &mut tally.borrow_mut())
    });
    if let Err(error) = run {
        panic!("{error}\n{runner}");
    }
    let tally = tally.into_inner();
    println!("{kinds:?}: {seeds} old seeds in {tally}");
    tally.check(cases, seeds);
}

#[test]
fn position_lanes_keep_every_property() {
    suite(Kinds::Position);
}

#[test]
fn velocity_lanes_keep_every_property() {
    suite(Kinds::Velocity);
}

#[test]
fn trajectory_lanes_keep_every_property() {
    suite(Kinds::Trajectory);
}

#[test]
fn mixed_lanes_keep_every_property() {
    suite(Kinds::Mixed);
}
