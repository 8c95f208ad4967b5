//! The latch's part of the composition: where the file is, what it says, and the thread that writes it.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use super::AppError;
use crate::attribution::Attribution;
use crate::clock;
use crate::config::model::Config;
use crate::gate::cause::Cause;
use crate::gate::history::Start;
use crate::gate::machine::Trip;
use crate::gate::state::BootRecord;
use crate::gate::units::{Moment, WallTime};
use crate::kill_switch::KillSwitch;
use crate::latch::record::BootId;
use crate::latch::{self, Found, Latch, Parts, Post, Store};
use crate::ros::rcl::Waker;
use crate::telemetry::notes::Notes;
use crate::telemetry::silence::silent;
use crate::telemetry::slots::Slots;
use crate::telemetry::texts::{NOT_PERSISTED, Texts};

/// What the last run left, before anything of this one is there.
pub(super) struct Opened {
    pub(super) start: Start,
    pub(super) at: Moment,
    file: Option<(Store, Found, BootId)>,
}

/// Who is woken after each write; known once the gate thread is built.
pub(super) type Woken = Arc<OnceLock<[Waker; 2]>>;

/// Takes the state directory and reads the latch file. First of all: a second gate ends here, before
/// it has made any endpoint.
pub(super) fn open(config: &Config, notes: &Notes) -> Result<Opened, AppError> {
    let at = clock::now();
    if !config.latch_persist {
        return Ok(Opened { start: Start::of(BootRecord::Clean, 1), at, file: None });
    }
    let directory = latch::directory(config.state_dir.as_deref(), &|name| std::env::var_os(name));
    let directory = directory.ok_or(AppError::NoStateDirectory)?;
    let (store, found) = Store::open(&directory)?;
    let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    let boot_id = latch::boot::boot_id(&boot_id.unwrap_or_default());
    // The names of things are asked for, not who did what.
    let attribution = &Attribution::default();
    let texts = Texts { config, node: "", notes, attribution };
    let start = latch::start(&found, boot_id, &|name| texts.named(name));
    Ok(Opened { start, at, file: Some((store, found, boot_id)) })
}

impl Opened {
    /// Where the file is; `None`: nothing is kept on disk.
    pub(super) fn path(&self) -> Option<PathBuf> {
        self.file.as_ref().map(|(store, ..)| store.path())
    }

    /// Starts thread `latch`.
    pub(super) fn start(
        self,
        config: &Arc<Config>,
        slots: &Arc<Slots>,
        notes: &Arc<Notes>,
        attribution: &Arc<Attribution>,
        (woken, switch): (&Woken, &Arc<KillSwitch>),
    ) -> std::io::Result<(Option<Post>, Option<Latch>)> {
        let Some((store, found, boot_id)) = self.file else { return Ok((None, None)) };
        let names = latch::boot::contents(&found).into_iter().flat_map(|contents| &contents.trips);
        for trip in names.filter(|trip| !trip.operator.is_empty()) {
            attribution.note(trip.seq, &trip.operator, &trip.reason);
        }
        let (config, for_texts, for_trouble) = (config.clone(), notes.clone(), notes.clone());
        let operators = attribution.clone();
        let (woken, switch) = (woken.clone(), switch.clone());
        let parts = Parts {
            store,
            found,
            boot_id,
            describe: Box::new(move |trip: &Trip| {
                let texts =
                    Texts { config: &config, node: "", notes: &for_texts, attribution: &operators };
                (texts.subject(trip.subject), texts.trip(trip))
            }),
            attribution: attribution.clone(),
            slots: slots.clone(),
            steady: clock::steady,
            told: Box::new(move |trouble| tell(&for_trouble, trouble)),
            late: Box::new(move || late_kill(&switch)),
        };
        let wake = move || woken.get().into_iter().flatten().for_each(Waker::wake);
        let (post, latch) = Latch::start(parts, self.start, self.at, Box::new(wake))?;
        Ok((Some(post), Some(latch)))
    }
}

/// A kill that the gate thread has not taken, because it has ended.
fn late_kill(switch: &KillSwitch) -> Option<(Cause, WallTime)> {
    let mut late = None;
    switch.take(&mut |cause| late = Some((cause, clock::wall())));
    if let Some((cause, _)) = late {
        tracing::warn!(%cause, "killed by {cause} while the node ends: the next run begins killed");
    }
    late
}

/// A change between writable and not.
fn tell(notes: &Notes, trouble: Option<String>) {
    match &trouble {
        Some(why) => {
            tracing::error!(kind = "latch_not_writable", "{why}; reset and arm are refused")
        }
        None => tracing::info!(kind = "latch_writable", "the latch file can be written again"),
    }
    notes.write(|found| found.latch = trouble.unwrap_or_default());
}

/// Lanes that nobody takes after an end in motion, while what they were sent last may still be followed.
pub(super) fn tell_silent_lanes(config: &Config, record: BootRecord) {
    if !record.is_unclean() {
        return;
    }
    for lane in &config.lanes {
        if let Some(silent) = silent(lane) {
            tracing::error!(
                kind = "lane_silent",
                lane = lane.name,
                "lane '{}': {silent}",
                lane.name
            );
        }
    }
}

/// What the node comes up as, for the log.
pub(super) fn comes_up(start: &Start, path: Option<&PathBuf>) -> String {
    let Some(path) = path else { return format!("disarmed; latch {NOT_PERSISTED}") };
    let cause = start.first.map(|trip| trip.cause).or(start.record.cause());
    let seq = start.seq;
    let path = path.display();
    match (start.record, cause) {
        (BootRecord::Clean, _) | (_, None) => format!("disarmed, seq {seq}; latch file {path}"),
        (BootRecord::Missing, _) => format!(
            "killed, seq {seq}: {}, there was no latch file: reset, then arm; latch file {path}",
            Cause::FirstRun
        ),
        (
            BootRecord::Killed
            | BootRecord::KilledUnclean
            | BootRecord::EndedActive
            | BootRecord::EndedActiveEarlier
            | BootRecord::Unreadable,
            Some(cause),
        ) => format!("killed, seq {seq}, as the last run ended: {cause}; latch file {path}"),
    }
}
