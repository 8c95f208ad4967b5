//! The composition root: builds the parts, starts and supervises the threads, shuts down.

mod ending;
mod error;
mod latch;
mod shutdown;
mod signals;
mod socket;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use parking_lot::Mutex;
use signal_hook::iterator::Signals;

use self::ending::Ending;
pub use self::error::AppError;
use self::signals::Does;
use crate::attribution::Attribution;
use crate::clock;
use crate::config::args::Arguments;
use crate::config::differences;
use crate::config::model::Config;
use crate::config::value::{FlatMap, Value};
use crate::gate::cause::Cause;
use crate::gate::snapshot::Snapshot;
use crate::gate::state::State;
use crate::http::{self, Bounds, HttpParts, HttpServer};
use crate::kill_switch::KillSwitch;
use crate::latch::Latch;
use crate::realtime;
use crate::ros::control::{Control, ControlNode};
use crate::ros::gate_thread::{BuildError, Endpoints, GateThread};
use crate::ros::monitor::MonitorThread;
use crate::ros::rcl::{Context, RclValue, Waker, keep_off_dead_ports, parameter_overrides};
use crate::systemd::{ServiceManager, Watched};
use crate::telemetry::collector;
use crate::telemetry::events::{Event, EventLog, What};
use crate::telemetry::history::History;
use crate::telemetry::logging::Logging;
use crate::telemetry::notes::Notes;
use crate::telemetry::readiness::readiness;
use crate::telemetry::report;
use crate::telemetry::slots::{BuildInfo, Slots};
use crate::telemetry::texts::Texts;
use crate::telemetry::watched::WatchedLanes;
use crate::verbs::verb_queue;
use crate::watchdog::{self, LastStop, Progress};

/// Somebody ended it, in one of the usual ways.
const STOPPED_AS_ASKED: u8 = 0;
/// EX_SOFTWARE of sysexits.h: a signal that nobody ends a process by has stopped it.
const ENDED_BY_A_FAULT: u8 = 70;

/// Builds everything, runs until a signal ends it, stops the robot, and ends.
///
/// # Errors
/// [`AppError`]; nothing has been published on any output then.
pub fn run(
    config: Config,
    map: FlatMap,
    arguments: &Arguments,
    logging: Logging,
) -> Result<ExitCode, AppError> {
    // First: without it a signal that kills would end the process, and a restart might come up
    // disarmed. The signals that end it do so at once as long as nothing has been published.
    let signals = Signals::new(signals::EARLY)?;
    let config = Arc::new(config);
    let notes = Arc::new(Notes::default());
    let opened = latch::open(&config, &notes)?;
    check_log_folder()?;
    let mut args = vec!["interlock".to_owned()];
    args.extend(arguments.ros.iter().cloned());
    let bound = socket::bind(&config)?;
    let reserved = keep_off_dead_ports();
    let context = Context::new(&args)?;
    compare_with_rcl(&context, arguments, &map)?;
    let unlocked = realtime::lock_memory(config.realtime.as_ref());

    let slots = Slots::new(&config, build_info(&context), logging.counts);
    let (attribution, history) = (Arc::<Attribution>::default(), Arc::<History>::default());
    let (events, event_log) = EventLog::start(slots.clone(), history.clone(), clock::steady)?;
    let (queue, wishes) = verb_queue();
    let switch = Arc::new(KillSwitch::default());
    let start = (opened.start, opened.at);
    let path = opened.path();
    let woken = latch::Woken::default();
    let (post, latch) = opened.start(&config, &slots, &notes, &attribution, (&woken, &switch))?;
    let on_disk = post.as_ref().map(|post| post.progress().clone());
    let endpoints = Endpoints {
        config: config.clone(),
        context,
        switch: switch.clone(),
        slots: slots.clone(),
        events: events.clone(),
        start,
        latch: post,
        notes,
        clocks: clock::readings,
    };
    let built = endpoints.build()?;
    // Set once, here.
    woken.set([built.waker.clone(), built.replies_waker]).ok();
    let node_name = built.names.fully_qualified_name.clone();
    let notes = built.audit.notes().clone();
    tell_realtime(&notes, unlocked);
    let mut snapshots = built.snapshots.into_iter();
    let (Some(for_control), Some(for_http), Some(for_socket)) =
        (snapshots.next(), snapshots.next(), snapshots.next())
    else {
        return Err(BuildError::NoBit.into());
    };
    let control = ControlNode::new(Control {
        config: config.clone(),
        parameters: map,
        node_name: node_name.clone(),
        requests: built.requests,
        wishes,
        attribution: attribution.clone(),
        snapshot: for_control,
        decisions: built.decisions,
        limits: built.limits,
        audit: built.audit,
        slots: slots.clone(),
        events: events.clone(),
        switch: switch.clone(),
        rosout: logging.rosout,
        wall_clock: realtime::wall_clock,
    })?;
    let named = (node_name.clone(), notes.clone(), attribution.clone(), history.clone());
    let http = serve_http(&config, &slots, for_http, named)?;
    let operators = socket::Operators {
        config: config.clone(),
        node: node_name.clone(),
        notes: notes.clone(),
        snapshot: for_socket,
        switch: switch.clone(),
        waker: built.waker.clone(),
        queue,
        attribution,
        history,
        events: events.clone(),
        slots: slots.clone(),
        latch: on_disk,
    };
    let socket = socket::start(bound, operators)?;
    let mut burst = built.burst;
    let elevated = config.realtime.clone();
    let told = notes.clone();
    let set_up = move || tell_realtime(&told, realtime::set_up_watcher(elevated.as_ref()));
    let stop = LastStop::start(switch.clone(), set_up.clone(), move || burst.frame())?;
    stop.on_panic();
    let progress = built.progress;
    let watchdog = watchdog::watch(progress.clone(), stop, set_up)?;
    let monitor = MonitorThread::new(&config, &args, slots.clone(), built.sensors, switch.clone())?;
    // Every participant has its ports.
    drop(reserved);
    events.post(Event { at: clock::now(), what: What::Started });
    events.post(Event { at: clock::now(), what: What::Configured });
    if !config.latch_persist {
        tracing::warn!("latch {}", crate::telemetry::texts::NOT_PERSISTED);
    }
    tracing::info!(
        node = node_name,
        lanes = config.lanes.len(),
        config_sha256 = config.sha256,
        version = env!("CARGO_PKG_VERSION"),
        "{node_name} runs, {}",
        latch::comes_up(&start.0, path.as_ref())
    );
    latch::tell_silent_lanes(&config, start.0.record);
    // Whoever presses a button later reads the page, or nothing.
    let watched = WatchedLanes::of_config(&config);
    if let Some(loud) = watched.loud().filter(|_| watched.is_all()) {
        tracing::warn!("{loud}");
    }
    for told in shutdown::told(&config) {
        tracing::warn!("{told}");
    }
    let manager = tell_service_manager(&progress, &switch, &slots)?;
    let whole = Whole {
        config: &config,
        notes: &notes,
        manager: manager.as_ref(),
        progress: &progress,
        latch,
    };
    let code =
        supervise(built.thread, (control, monitor), (&switch, &built.waker), signals, whole)?;
    watchdog.join().ok();
    drop(manager);
    events.post(Event { at: clock::now(), what: What::Stopping });
    drop(socket);
    drop(http);
    drop(built.replies);
    event_log.stop();
    Ok(ExitCode::from(code))
}

/// What the threads' supervisor needs of the process.
struct Whole<'a> {
    config: &'a Arc<Config>,
    notes: &'a Arc<Notes>,
    manager: Option<&'a ServiceManager>,
    /// Of the gate thread.
    progress: &'a Arc<Progress>,
    latch: Option<Latch>,
}

/// Says what failed of the real-time set-up, to the log and to whoever asks later.
fn tell_realtime(notes: &Notes, failed: impl IntoIterator<Item = String>) {
    for failed in failed {
        tracing::warn!("{failed}");
        notes.write(|findings| findings.realtime.push(failed));
    }
}

/// Runs the threads; returns when the gate thread has stopped the robot and ended, with the process's code.
fn supervise(
    gate: GateThread,
    (control, monitor): (ControlNode, Option<MonitorThread>),
    (switch, waker): (&Arc<KillSwitch>, &Waker),
    mut signals: Signals,
    whole: Whole<'_>,
) -> std::io::Result<u8> {
    // Kills that came during the start: before the gate's first turn.
    if signals.pending().filter(|signal| signals::does(*signal) == Does::Kill).count() > 0 {
        switch.raise(Cause::KillSignal);
    }
    for signal in signals::that_end() {
        match signals.add_signal(signal) {
            Ok(()) => {}
            Err(error) if signals::is_usual(signal) => return Err(error),
            // A tool below us may keep one for itself.
            Err(error) => tracing::warn!(signal, %error, "signal {signal} is not ours: {error}"),
        }
    }
    let ended = signals.handle();
    let (set_up, notes) = (whole.config.clone(), whole.notes.clone());
    let gate = std::thread::Builder::new().name("gate".to_owned()).spawn(move || {
        tell_realtime(&notes, realtime::set_up_thread(set_up.realtime.as_ref()));
        gate.run();
        ended.close();
    })?;
    let control =
        std::thread::Builder::new().name("control".to_owned()).spawn(move || control.run())?;
    let monitor = monitor.map(|monitor| {
        std::thread::Builder::new().name("monitor".to_owned()).spawn(move || monitor.run())
    });
    let monitor = monitor.transpose()?;
    let mut ending = Ending::default();
    let (mut code, mut is_limit_told) = (STOPPED_AS_ASKED, false);
    for signal in signals.forever() {
        match signals::does(signal) {
            Does::Kill => switch.raise(Cause::KillSignal),
            Does::Nothing => {
                // Once: the file may be the log's own.
                if !std::mem::replace(&mut is_limit_told, true) {
                    tracing::warn!(signal, "a file has reached this process's limit (ulimit -f)");
                }
                continue;
            }
            Does::End => {
                if !signals::is_usual(signal) {
                    // Nobody asked for that: whoever supervises starts the node again.
                    code = ENDED_BY_A_FAULT;
                }
                tracing::info!(signal, "shutting down: safe command, then end");
                switch.shut_down();
                if let Some(manager) = whole.manager {
                    manager.look();
                }
                ending.begin(whole.progress, code.into());
            }
        }
        waker.wake();
    }
    // The gate has ended by itself only after a shutdown; whatever else it was ends here too.
    switch.shut_down();
    ending.begin(whole.progress, code.into());
    // An Err is a panic, which the hook has turned into a burst and an abort.
    gate.join().ok();
    // What comes from here on the latch itself asks for, right before its last record.
    if signals.pending().any(|signal| signals::does(signal) == Does::Kill) {
        switch.raise(Cause::KillSignal);
    }
    // Nothing more is posted. First of all that can wait, so that no other thread's end keeps the disk
    // from knowing that this one was clean.
    if let Some(latch) = whole.latch {
        latch.finish();
    }
    control.join().ok();
    if let Some(monitor) = monitor {
        monitor.join().ok();
    }
    Ok(code)
}

/// What systemd shows, and its watchdog; nothing where nobody listens.
fn tell_service_manager(
    progress: &Arc<Progress>,
    switch: &Arc<KillSwitch>,
    slots: &Arc<Slots>,
) -> std::io::Result<Option<ServiceManager>> {
    let slots = slots.clone();
    ServiceManager::start(Watched {
        progress: progress.clone(),
        switch: switch.clone(),
        status: Box::new(move || {
            let state = slots.node.state.get().map_or("starting", State::label);
            format!("{state}, seq {}", slots.node.seq.get().unwrap_or(0))
        }),
    })
}

fn serve_http(
    config: &Arc<Config>,
    slots: &Arc<Slots>,
    snapshot: triple_buffer::Output<Snapshot>,
    (node, notes, attribution, history): (String, Arc<Notes>, Arc<Attribution>, Arc<History>),
) -> Result<Option<HttpServer>, AppError> {
    let Some(listen) = config.http else { return Ok(None) };
    let snapshot = Arc::new(Mutex::new(snapshot));
    let status = {
        let (config, slots, snapshot) = (config.clone(), slots.clone(), snapshot);
        Arc::new(move || {
            let texts =
                Texts { config: &config, node: &node, notes: &notes, attribution: &attribution };
            let now = clock::now();
            let mut status = report::status(snapshot.lock().read(), texts, &slots, now);
            status.rejections = history.rejections(&slots, now.wall);
            status
        })
    };
    let for_readiness = (config.clone(), status.clone());
    let parts = HttpParts {
        registry: collector::registry(slots.clone())?,
        slots: slots.clone(),
        steady: Box::new(clock::steady),
        status: Box::new(move || status()),
        readiness: Box::new(move || {
            let (config, status) = &for_readiness;
            readiness(config, &status())
        }),
    };
    Ok(Some(http::start(listen, parts, Bounds::default())?))
}

/// rcl's own reading of the same files must agree with ours, or nothing starts.
fn compare_with_rcl(
    context: &Context,
    arguments: &Arguments,
    map: &FlatMap,
) -> Result<(), AppError> {
    let overrides = parameter_overrides(context, &arguments.full_name())?;
    let rcl = overrides.into_iter().map(|(key, value)| (key, rcl_value(value)));
    let problems = differences(map, &FlatMap::from_rcl(rcl));
    if problems.is_empty() { Ok(()) } else { Err(AppError::Config(problems)) }
}

fn rcl_value(value: RclValue) -> Value {
    match value {
        RclValue::Bool(value) => Value::Bool(value),
        RclValue::Int(value) => Value::Int(value),
        RclValue::Double(value) => Value::Double(value),
        RclValue::String(value) => Value::String(value),
        RclValue::BoolArray(values) => Value::BoolArray(values),
        RclValue::IntArray(values) => Value::IntArray(values),
        RclValue::DoubleArray(values) => Value::DoubleArray(values),
        RclValue::StringArray(values) => Value::StringArray(values),
        // rcl's parser makes none; as numbers it differs from whatever a file said.
        RclValue::ByteArray(values) => Value::IntArray(values.into_iter().map(i64::from).collect()),
    }
}

/// rcl fails without a word where it cannot make this folder.
fn check_log_folder() -> Result<(), AppError> {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let path = set("ROS_LOG_DIR")
        .or_else(|| set("ROS_HOME").map(|home| home.join("log")))
        .or_else(|| set("HOME").map(|home| home.join(".ros").join("log")))
        .unwrap_or_else(|| PathBuf::from(".ros/log"));
    std::fs::create_dir_all(&path).map_err(|source| AppError::LogFolder { path, source })
}

fn build_info(context: &Context) -> BuildInfo {
    BuildInfo {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: env!("INTERLOCK_COMMIT").to_owned(),
        rustc: env!("INTERLOCK_RUSTC").to_owned(),
        ros_distro: std::env::var("ROS_DISTRO").unwrap_or_else(|_| "unknown".to_owned()),
        rmw: context.rmw_implementation(),
    }
}
