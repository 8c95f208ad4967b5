//! Interlock: the gate between the programs that decide and the controller that moves a robot.
//!
//! This is the map of the crate. What the node does is in README.md, what its keys mean in
//! docs/configuration.md; each module says what it decides and what it never does.
//!
//! # Data flow
//!
//! ```text
//!  sources ──► ros::rcl take ──► codec decode ──► gate ──► codec encode ──► ros::rcl publish ──► controller
//!  (topics)    serialized +      in place, by     fence, source, rate,      in the same bytes      (topic)
//!              message info      cdr layout       check, limit, state
//!                                                  ▲    │
//!  kill inputs, ~/kill, control socket, SIGUSR1 ───┤    ├──► safe commands, ~/permit   (own timer)
//!  temperatures, batteries ─ judged ─── atomics ───┤    │
//!  feedback ───────────────────────────────────────┤    ├──► snapshot ──► ~/state, /diagnostics, /status
//!  reset, arm, disarm, select_source ── queue ─────┤    ├──► slots ─────► /metrics
//!  robot description ─ limits ───────── queue ─────┤    ├──► records ───► ~/decisions
//!  who reads and writes our topics ─── atomics ────┘    └──► events ────► log, /rosout
//! ```
//!
//! A shadow source and a watched lane take the same way up to the limits, against a reference of their
//! own (`gate::aside`), and end there.
//!
//! At start `config` turns the params file into a [`config::model::Config`], or into every problem at
//! once; `ros::typesupport` loads each message type by name; [`codec`] compiles it to field places, by a
//! built-in map or by the lane's `fields`. A robot description tightens the limits when it comes
//! ([`config::urdf`]). `interlock --suggest` (`ros::suggest`) goes the other way: from the graph to a
//! params file.
//!
//! # Modules, and what each may import
//!
//! Imports go one way. Tests may reach further.
//!
//! | module | is | imports of ours |
//! |---|---|---|
//! | [`gate`] | pure: every decision, the state machine, limits | nothing |
//! | [`cdr`] | pure: message bytes, layouts, bounded reads and writes | nothing |
//! | [`config`] | pure but for its loader: the params file | `gate` |
//! | [`codec`] | pure: between bytes and the gate's numbers | `cdr`, `config`, `gate` |
//! | [`telemetry`] | slots, metrics, events, log, status | `attribution`, `config`, `gate` |
//! | [`clock`] | the only reader of clocks | `gate::units` |
//! | [`attribution`] | who asked for what, by `seq` | nothing |
//! | [`latch`] | the latch on disk: file, lock, its thread | `attribution`, `gate`, `telemetry` |
//! | [`kill_switch`] | kills from other threads, fence, shutdown | `gate::cause` |
//! | [`wake`] | bits that wake a parked thread | nothing |
//! | [`watchdog`] | the gate thread's progress; the last stop of a dying process | `clock`, `gate::units`, `kill_switch` |
//! | [`systemd`] | what the service manager is told | `kill_switch`, `watchdog` |
//! | [`realtime`] | scheduling, locked memory, the kernel's word on its clock | `clock`, `config` |
//! | [`shared_memory`] | what killed processes left in shared memory, in the way of who starts | nothing |
//! | [`http`] | read-only HTTP | `telemetry`, `gate::units` |
//! | [`verbs`] | what people ask for and what came of it | `gate::units`, `telemetry` |
//! | [`socket`] | the control socket: verbs without ROS | `attribution`, `config::model`, `gate`, `telemetry`, `verbs` |
//! | [`ctl`] | `interlockctl` | `clock`, `config::model`, `gate`, `latch`, `shared_memory`, `socket`, `telemetry` |
//! | `ros` | the only user of r2r and r2r_rcl | all of the above but `http`, `socket`, `ctl`, `realtime` |
//! | `app` | composition root: builds, starts, supervises, shuts down | all but `ctl` |
//!
//! Inside [`gate`], from the outside in:
//!
//! | files | decide |
//! |---|---|
//! | `core`, `verbs`, `inputs`, `watch`, `stop`, `self_test` | the gate as a whole: its calls, its tick, its stops, and the test of them |
//! | `state`, `machine`, `release`, `history` | the transition table; reset and arm in two steps; trips, `seq` |
//! | `cause`, `detect`, `fault`, `actions`, `share`, `divergence` | which causes there are, whether each is there, for how long, what it then does |
//! | `condition`, `conditions`, `awaits`, `engage` | what stands in the way of the next step |
//! | `lane`, `arbitration`, `source`, `publisher`, `rate`, `aside`, `easing` | who may move a lane, and how much of its limits |
//! | `check`, `limit`, `envelope`, `credit` | whether a command is valid, and what its limits make of it |
//! | `rules`, `limits`, `safe`, `command`, `verdict`, `decision`, `units` | what the others speak in |
//! | `kill_input`, `measured`, `seen`, `notice`, `snapshot` | what was heard, and what is told |
//! | `sensor` | what heat and charge mean: grades, hysteresis, derating; called by thread `monitor` |
//!
//! `ros` and `app` need feature `ros`; everything else builds and is tested on a machine without ROS.
//! Unsafe code stands in `ros::rcl`, `ros::typesupport` and [`realtime`] only.
//!
//! # Threads
//!
//! | thread | owns | is reached by |
//! |---|---|---|
//! | `gate` | the gate, all command and kill endpoints, tick, permit | bits and unpark; bounded queue of verbs; atomics |
//! | `replies` | the order of the kill service's answers | bounded queue |
//! | `reply-0` … | one answer at a time | a queue of one |
//! | `control` | r2r's node: verbs, parameters, `~/state`, `~/decisions`, `/diagnostics`, `/rosout`, the graph, the robot description, the kernel's clock | r2r; snapshots, records, log lines |
//! | `http` | `/`, `/metrics`, `/status`, `/livez`, `/readyz` | its socket; snapshots, slots |
//! | `socket` | the control socket | its socket; a snapshot; kills by atomics, verbs through `control` |
//! | `monitor` | topics watched for telemetry, temperatures, batteries | rcl's callbacks; atomics to the gate |
//! | `events` | the log's lines about events | bounded queue |
//! | `log` | stderr | bounded queue |
//! | `latch` | the latch file | a mailbox with the newest record; atomics back |
//! | `watchdog` | the end of a process whose gate stands still | the gate's progress, an atomic |
//! | `burst` | the stop burst and the end after it; waits all its life | a flag and unpark |
//! | `last_words` | the log's line about that; waits all its life | a flag and unpark |
//! | `notify` | what the service manager is told; only under one | the gate's progress |
//! | main | signals, the end of the process | |
//!
//! # Invariants of the whole
//!
//! - **Nothing leads from killed to active**, and a stop always wins: over a reset, over a command being
//!   processed, over an arm that comes late (its `seq` has moved).
//! - **A stop is never filtered, delayed, rate limited or authorised.** Kills are looked at before any
//!   command at every wake, and once more directly before each publish.
//! - **No topic, parameter or HTTP request releases anything.** Only reset and arm do.
//! - **From take to publish: no lock of ours, no allocation of ours, no formatting, no file.** What cannot
//!   be handed over without waiting is counted as lost.
//! - **Every comparison fails closed**: NaN dies before the first one; no number means "off".
//! - **A released lane is silent.** Starting the node moves no robot and drops none.
//! - **A smaller envelope never lengthens braking**: source, profile, ramp, hand-over and derating scale
//!   velocity and speeding up, none of them slowing down.
//! - **Nothing judged aside is forwarded**, selected, or counted among what was.
//! - **What is on the wire is known**: limits refer to the last sent value, safe commands included.
//! - **Every queue is bounded**, every wait in the gate thread is a park with a deadline.
//!
//! # Decisions
//!
//! **Decision 1: the gate thread parks and is woken by callbacks,** because rcl's callbacks cost two atomic
//! operations, instead of a wait set, whose cost grows with the number of endpoints and which is built anew
//! for each wait.
//!
//! **Decision 2: own wrappers of rcl beside r2r,** because the gate needs message info (publisher, sequence,
//! source timestamp), the newest command instead of the oldest, and a kill service that loses no request,
//! instead of r2r's subscriptions, which discard the info and drop the newest when full. r2r's node serves
//! the control plane, where neither matters. Two contexts, two nodes; one set of names.
//!
//! **Decision 3: commands are limited in place, in their CDR bytes,** because what the gate does not
//! understand must go through bit for bit and any installed type must work, instead of deserializing into
//! compiled message structs.
//!
//! **Decision 4: a pure core, and codecs in a module of their own,** because decisions must be testable with
//! time and bytes as arguments and readable without ROS. [`gate`] knows numbers and no messages, [`cdr`] bytes
//! and no meaning; [`codec`] alone knows both, instead of either importing the other.
//!
//! **Decision 5: a control thread for everything that may take its time,** because listing the graph and
//! answering services allocates and takes the middleware's locks. It leaves the facts of each output in one
//! atomic word; the gate thread reads them at its tick, instead of asking the graph itself.
//!
//! **Decision 6: thread `replies` answers the kill service,** because on Fast DDS an answer waits up to 100 ms
//! for a client whose reply reader does not match, and the next kill would wait behind it. The gate thread
//! takes the request, stops, and leaves the answer; a few workers send, and who cannot be answered comes
//! after everybody else, so that an honest answer does not wait behind theirs either.
//!
//! **Decision 7: the state is handed out as snapshots in triple buffers,** one for each reader, because a reader
//! then never makes the gate thread wait and never sees half a state, instead of a lock or a channel.
//!
//! **Decision 8: metrics are single-writer slots and one collector,** because label look-ups hash and lock, and
//! a scrape of the client library's histograms waits for writers. Indices are resolved at start; the collector
//! writes the slots as text when somebody scrapes.
//!
//! **Decision 9: reset and arm take effect only once their record is on disk, and a stop does not wait for its
//! own,** because a restart must never know less than what was released and a stop must never be slower than it
//! can be. The record is two slots overwritten in place, and any damage comes up killed, instead of a file that is
//! replaced (which needs space on the disk) or one that is repaired by guessing.
//!
//! **Decision 10: a constant safe command spends no time credit.** A command's rate limit may use the time since
//! something changed on the wire, at most 1.5 periods. A hold repeated at the tick changes nothing, so the
//! first command after it has its full step, instead of what is left since the last repetition.
//!
//! **Decision 11: a source that has not asked for motion does not keep a lane.** Up goes by itself on motion,
//! down only by a person or `return_to: auto`; but an idle owner gives way to any source that asks for motion,
//! because else a joystick that streams zeros from the start would lock out everybody, instead of having won
//! anything.
//!
//! **Decision 12: a kill input's level is kept for each publisher,** because one publisher's "released" must not
//! hide another's "pressed". Only publishers heard within the timeout count, so that a dead one does not block
//! reset for ever; silence of all is a cause of its own.
//!
//! **Decision 13: `hold_point` is there from the first version,** because a JointTrajectory lane needs a safe
//! command and no other fits: a trajectory controller keeps moving until another trajectory pre-empts it.
//!
//! **Decision 14: stops cannot be configured away.** What the kill verb, a kill input that asserts, a restart and
//! a shutdown do is fixed; a params file that says otherwise is refused, instead of a gate that looks like one.
//!
//! **Decision 15: the time credit is capped at 1.5 nominal periods,** because a source's jitter must not distort
//! its motion and a gap must not buy a jump. Where the design says both "at most velocity times the window and one
//! period" and "1.5 periods", the cap rules: between two sent values, W apart, a stream moves at most
//! `v · (W + 1 period)`, because no more than half a period is left after a command; with the first of
//! the two steps counted in, `v · (W + 1.5 periods)`.
//!
//! **Decision 16: a group scales the step of its joints,** from what was last sent to what is asked, by the one
//! factor that every joint of it can keep, because the direction of a motion is what a task depends on, instead of
//! limiting each joint and bending the path. Only a joint that cannot slow down in time moves on by itself.
//!
//! **Decision 17: a refused command does not keep a source alive,** because a stream of nonsense is a silence
//! with noise: it ends in `holding` after `timeout_s` like any other, instead of leaving the last good command in
//! force.
//!
//! **Decision 18: each arm begins with a ramp of 1 s, each change of hands with 1 s at 0.3 of the limits,** unless
//! the params file says otherwise, because the first target of a source that streams already is anywhere. Not for
//! trajectories, which start from the present pose by themselves and cannot be slowed down without being planned
//! anew, and not for `balance` lanes, which are never altered. What they limit is no evidence against the source:
//! `limited_ratio` does not count it.
//!
//! **Decision 19: a position source may stream at an arm (`engage: blend`), a velocity or effort source must send
//! zero (`neutral`),** because a pose can be led to from where the robot is, and a velocity is motion at once.
//!
//! **Decision 20: shares begin to count at five commands, and only what is the source's own fault,** because three
//! refusals are a transient and a stranger on the topic, an old command or a flood must not be able to hold the
//! lane as `refusals_sustained`: refusals for the publisher, the fence, the order or the rate are left out.
//!
//! **Decision 21: `source_silent: warn` still stops its own lane,** because nobody commands it any more: the lane
//! has its safe command, the others go on. An action only chooses what more happens.
//!
//! **Decision 22: `select_source` while disarmed is remembered for the next arm,** because that is when an operator
//! decides who shall move the robot, instead of in the moment after.
//!
//! **Decision 23: elements of an array that belong to no joint must be zero (`unused_elements: zero`),** because a
//! motor that nobody listed must not be moved by a command that nobody limited; `keep` is for vendors who need
//! something there, and finite is then all that is asked.
//!
//! **Decision 24: a robot description is waited for, and never loosens anything.** Limits for all joints are
//! tightened silently; one written for a joint and wider is an error; one that looks unset (≤ 0) is told and not
//! used. A changed description waits for the next disarm. `urdf.file` is absolute, because what a relative one
//! means depends on who starts the node.
//!
//! **Decision 25: what does nothing is refused**: feedback that nobody reads, a threshold that a cause does not
//! have, a limit of what the lane does not carry, because somebody believes in it. A feedback and a kill input
//! cannot share a name, because both are inputs in the same metrics.
//!
//! **Decision 26: `balance` lanes have causes of their own,** because there a stop is a fall: what can be borne
//! warns, what cannot kills at once, and nothing holds or lets go. They are verified and never altered.
//!
//! **Decision 27: the control socket has no say of its own.** A kill goes straight to the kill switch; every
//! other verb goes to thread `control`, which serves it as it serves the ROS service, because two ways in must
//! refuse for the same reasons in the same words, instead of a second copy of the rules. What the socket alone
//! decides is who may let motion begin: by the peer's user as the kernel tells it, instead of a password that
//! ends up in a script.
//!
//! **Decision 28: the self test trips by a cause of its own, and anybody may ask for it.** With a real cause a press
//! during the test could be taken for the test's own; so a real stop is always news, moves `seq`, and the test's
//! reset, which names its own, is refused. It begins and ends disarmed and lets go of nothing that it did not hold,
//! so whoever may kill may ask. What a kill would send goes to `~/self_test/<lane>` only, for velocity lanes too,
//! because whoever holds the outputs while disarmed may be moving the robot.
//!
//! **Decision 29: what a sensor cannot be believed in makes nothing better, and stops nothing.** A reading that is
//! no number, out of range or stuck, and silence, leave level and derating as they were, because a broken sensor
//! must neither free a hot joint nor fell a robot that is well. Thread `monitor` judges, and the gate thread
//! looks at its tick, because heat takes seconds.

#[cfg(feature = "ros")]
pub mod app;
pub mod attribution;
pub mod cdr;
pub mod clock;
pub mod codec;
pub mod config;
pub mod ctl;
pub mod gate;
pub mod http;
pub mod kill_switch;
pub mod latch;
pub mod realtime;
#[cfg(feature = "ros")]
pub mod ros;
pub mod shared_memory;
pub mod socket;
mod sync;
pub mod systemd;
pub mod telemetry;
pub mod verbs;
pub mod wake;
pub mod watchdog;
