//! What must hold in every world of `latch`, and what must be reachable at all.

use interlock::gate::state::State;
use stateright::Property;

use super::latch::{Last, Node, Step, World};

fn last(world: &World, holds: impl Fn(Last) -> bool) -> bool {
    world.last.is_none_or(holds)
}

pub(crate) fn properties() -> Vec<Property<Node>> {
    vec![
        Property::<Node>::always("killed never becomes active", |_, world| {
            last(world, |l| l.from != State::Killed || l.to != State::Active)
        }),
        Property::<Node>::always("only an arm makes active", |_, world| {
            last(world, |l| l.from == State::Active || l.to != State::Active || l.by == Step::Arm)
        }),
        Property::<Node>::always("a reset moves nothing", |_, world| {
            last(world, |l| l.by != Step::Reset || l.to != State::Active)
        }),
        Property::<Node>::always("only a reset or a restart leaves killed", |_, world| {
            last(world, |l| {
                let left = l.from == State::Killed && l.to != State::Killed;
                !left || matches!(l.by, Step::Reset | Step::Start)
            })
        }),
        Property::<Node>::always("a kill wins over a reset in progress", |_, world| {
            last(world, |l| l.by != Step::Reset || l.missed == 0)
        }),
        Property::<Node>::always("a stale arm is refused", |_, world| {
            last(world, |l| l.by != Step::Arm || l.missed == 0)
        }),
        Property::<Node>::always("a disarm wins over an arm in progress", |_, world| {
            last(world, |l| l.by != Step::Arm || l.to != State::Active || l.missed == 0)
        }),
        Property::<Node>::always("what cannot be written takes no effect", |_, world| {
            last(world, |l| l.by != Step::GiveUp || l.from == l.to)
        }),
        Property::<Node>::always("a kill works in every state", |_, world| {
            last(world, |l| l.by != Step::Kill || l.to == State::Killed)
        }),
        Property::<Node>::always("an arm needs every condition", |_, world| {
            last(world, |l| {
                l.by != Step::Arm || l.to != State::Active || l.from == l.to || !world.unmet()
            })
        }),
        Property::<Node>::always("active is on disk before it is true", |_, world| {
            world.state() != Some(State::Active) || world.disk.state == State::Active
        }),
        Property::<Node>::always("after a crash while active it boots killed", |_, world| {
            last(world, |l| {
                l.by != Step::Start || world.died != Some(State::Active) || l.to == State::Killed
            })
        }),
        Property::<Node>::always("a restart never comes up active", |_, world| {
            last(world, |l| l.by != Step::Start || l.to != State::Active)
        }),
        Property::<Node>::always("a kill told durable survives a crash", |_, world| {
            last(world, |l| l.by != Step::Start || !world.died_durable || l.to == State::Killed)
        }),
        Property::<Node>::always("seq never goes back, and moves with the state", |_, world| {
            last(world, |l| {
                l.by == Step::Start || l.seq_grew_by <= 1 && (l.from == l.to || l.seq_grew_by == 1)
            })
        }),
        Property::<Node>::always("while nothing is being written the disk is true", |_, world| {
            let settled = world.mail.is_none()
                && world.arm.is_none_or(|ask| !ask.begun)
                && world.reset.is_none_or(|ask| !ask.begun);
            !settled || world.record().is_none_or(|record| record == world.disk)
        }),
        Property::<Node>::sometimes("it gets active", |_, world| {
            world.state() == Some(State::Active)
        }),
        Property::<Node>::sometimes("a fault kills it", |_, world| {
            last(world, |l| l.by == Step::Fault && l.to == State::Killed) && world.last.is_some()
        }),
        Property::<Node>::sometimes("it dies while active", |_, world| {
            world.died == Some(State::Active)
        }),
        Property::<Node>::sometimes("a kill comes while a reset is being written", |_, world| {
            world.last.is_some_and(|l| l.by == Step::Kill)
                && world.reset.is_some_and(|ask| ask.begun && ask.trips < world.trips)
        }),
        Property::<Node>::sometimes("a write fails while an arm waits for it", |_, world| {
            world.last.is_some_and(|l| l.by == Step::GiveUp)
                && world.state() == Some(State::Disarmed)
        }),
        Property::<Node>::sometimes("an arm waits across a kill and a reset", |_, world| {
            world.state() == Some(State::Disarmed)
                && world.arm.is_some_and(|ask| ask.trips < world.trips)
        }),
    ]
}
