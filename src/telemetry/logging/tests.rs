//! The choice of form and level, and the counts.

use parking_lot::Mutex;

use super::*;
use crate::telemetry::slots::LogSink;

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub(super) fn captured(
    options: &LogOptions,
    counts: &Arc<LogCounts>,
    run: impl FnOnce(),
) -> String {
    let memory = Memory::default();
    let writer = memory.clone();
    let subscriber = subscriber(options, Arc::clone(counts), move || writer.clone(), None).unwrap();
    tracing::subscriber::with_default(subscriber, run);
    String::from_utf8(memory.0.lock().clone()).unwrap()
}

const JSON: LogFormat = LogFormat::Json { priority: false };

const PLAIN: Surroundings<'_> = Surroundings {
    log_levels: &[],
    no_rosout: false,
    rust_log: None,
    log_format: None,
    is_journal: false,
    is_terminal: false,
};

fn levels(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| String::from(*word)).collect()
}

fn directives(log_levels: &[&str], rust_log: Option<&str>) -> Result<String, String> {
    LogOptions::choose(&Surroundings { log_levels: &levels(log_levels), rust_log, ..PLAIN })
        .map(|options| options.directives)
        .map_err(|error| error.to_string())
}

#[test]
fn when_nothing_is_said_expect_people_and_info() {
    let options = LogOptions::choose(&PLAIN).unwrap();
    assert_eq!(options.format, LogFormat::Human { colour: false });
    assert_eq!(options.directives, "warn,interlock=info");
}

#[test]
fn when_the_surroundings_differ_expect_their_form() {
    let format = |is_journal, is_terminal, log_format| {
        LogOptions::choose(&Surroundings { is_journal, is_terminal, log_format, ..PLAIN })
            .map(|options| options.format)
    };
    let colour = LogFormat::Human { colour: true };
    assert_eq!(format(false, true, None).unwrap(), colour);
    assert_eq!(format(true, false, None).unwrap(), LogFormat::Json { priority: true });
    assert_eq!(format(false, true, Some("json")).unwrap(), LogFormat::Json { priority: false });
    assert_eq!(format(true, true, Some("human")).unwrap(), colour);
    assert_eq!(
        format(true, true, Some("xml")).unwrap_err().to_string(),
        "INTERLOCK_LOG_FORMAT=xml: not a form\n  allowed: json, human"
    );
}

#[test]
fn when_ros_gives_a_level_expect_it_before_rust_log() {
    let ours = |level: &str| Ok(format!("warn,interlock={level}"));
    assert_eq!(directives(&["debug"], Some("trace")), ours("debug"));
    assert_eq!(directives(&["WARN"], None), ours("warn"));
    assert_eq!(directives(&["fatal"], None), ours("error"));
    assert_eq!(directives(&["interlock:=debug"], None), ours("debug"));
    assert_eq!(directives(&["robot1.interlock:=debug"], None), ours("debug"));
    assert_eq!(directives(&["warn", "rcl:=debug"], None), ours("warn"));
    assert_eq!(directives(&["rcl:=debug"], None), ours("info"));
    assert_eq!(directives(&[], Some("interlock=trace")), Ok(String::from("interlock=trace")));
}

#[test]
fn when_a_level_is_not_a_word_of_ours_expect_an_error_that_names_the_words() {
    let error = directives(&["loud"], None).unwrap_err();
    assert!(error.starts_with("--log-level loud: not a level\n  allowed: debug,"), "{error}");
    assert!(directives(&["rcl:=loud"], None).is_err());
    let error = directives(&[], Some("interlock=loud")).unwrap_err();
    assert!(error.starts_with("RUST_LOG=interlock=loud: "), "{error}");
}

#[test]
fn when_messages_are_logged_expect_each_counted_by_level_and_filtered_ones_not() {
    let counts: Arc<LogCounts> = Arc::default();
    let options = LogOptions {
        format: LogFormat::Human { colour: false },
        directives: String::from("warn,interlock=debug"),
        rosout: false,
    };
    let text = captured(&options, &counts, || {
        tracing::error!("e");
        tracing::warn!("w");
        tracing::warn!("w");
        tracing::info!("i");
        tracing::debug!("d");
        tracing::trace!("t");
        tracing::info!(target: "hyper", "not ours");
    });
    let counted: Vec<_> =
        counts.messages.iter().map(|(level, n)| (level.label(), n.get())).collect();
    assert_eq!(counted, [("error", 1), ("warn", 2), ("info", 1), ("debug", 1), ("trace", 0)]);
    assert_eq!(text.lines().count(), 5);
    assert!(!text.contains('\u{1b}'), "no colours: {text}");
}

#[test]
fn when_every_level_is_on_expect_trace_counted_too() {
    let counts: Arc<LogCounts> = Arc::default();
    let options = LogOptions { format: JSON, directives: String::from("trace"), rosout: false };
    captured(&options, &counts, || tracing::trace!("t"));
    assert_eq!(counts.messages.at(LogLevel::Trace).get(), 1);
}

#[test]
fn when_the_form_is_json_expect_fields_beside_the_message() {
    let text = capture("info", || tracing::warn!(lane = "base", count = 3, "refused \"x\"\n"));
    assert_eq!(text.lines().count(), 1);
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["lane"], "base");
    assert_eq!(line["count"], 3);
    assert_eq!(line["level"], "WARN");
    assert_eq!(line["message"], "refused \"x\"\n");
    assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn when_the_journal_is_another_file_expect_no_journal() {
    use std::os::fd::AsFd as _;
    assert!(!stderr_is("0:0"));
    assert!(!stderr_is("nonsense"));
    let file = std::fs::File::from(std::io::stderr().as_fd().try_clone_to_owned().unwrap());
    let meta = file.metadata().unwrap();
    assert!(stderr_is(&format!("{}:{}", meta.dev(), meta.ino())));
}

#[test]
fn when_the_journal_reads_expect_each_line_with_its_priority() {
    let options = LogOptions {
        format: LogFormat::Json { priority: true },
        directives: String::from("trace"),
        rosout: false,
    };
    let text = captured(&options, &Arc::default(), || {
        tracing::error!("e");
        tracing::warn!("w");
        tracing::info!("i");
        tracing::debug!("d");
        tracing::trace!("t");
    });
    let lines: Vec<_> = text.lines().map(|line| line.split_at(3)).collect();
    let priorities: Vec<_> = lines.iter().map(|(priority, _)| *priority).collect();
    assert_eq!(priorities, ["<3>", "<4>", "<6>", "<7>", "<7>"]);
    for (_, line) in lines {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["message"].as_str().unwrap().len(), 1);
    }
}

/// A disk that has no room.
struct Full;

impl std::io::Write for Full {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Err(std::io::ErrorKind::StorageFull.into())
    }
}

/// Logs through the real queue and its thread.
fn through_the_queue(
    out: impl std::io::Write + Send + 'static,
    run: impl FnOnce(&LogWriter),
) -> Arc<LogCounts> {
    let counts: Arc<LogCounts> = Arc::default();
    let options = LogOptions { format: JSON, directives: String::from("info"), rosout: false };
    let writer = LogWriter::start(out, Arc::clone(&counts)).unwrap();
    let subscriber = subscriber(&options, Arc::clone(&counts), writer.clone(), None).unwrap();
    tracing::subscriber::with_default(subscriber, || run(&writer));
    counts
}

#[test]
fn hazard_30_telemetry_disturbs_gate_a_log_that_cannot_be_written_is_counted() {
    let counts = through_the_queue(Full, |writer| {
        for _ in 0..7 {
            tracing::warn!("lost");
        }
        tracing::debug!("filtered");
        // One that the machine held up for a second waits again.
        while writer.counts().lost.at(LogSink::Stderr).get() < 7 {
            writer.flush();
        }
    });
    assert_eq!(counts.lost.at(LogSink::Stderr).get(), 7);
    assert_eq!(counts.lost.at(LogSink::Rosout).get(), 0);
    assert_eq!(counts.messages.at(LogLevel::Warn).get(), 7);
}

/// A reader that takes nothing until it is told to.
struct Hung {
    go_on: Receiver<()>,
    written: Memory,
}

impl std::io::Write for Hung {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // Disconnected: go on.
        self.go_on.recv().ok();
        self.written.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn hazard_30_telemetry_disturbs_gate_a_log_that_nobody_reads_holds_up_nobody_and_is_counted() {
    let (told, go_on) = crossbeam_channel::bounded(0);
    let written = Memory::default();
    let counts = through_the_queue(Hung { go_on, written: written.clone() }, |writer| {
        // The thread may have taken one off the queue.
        for number in 0..sink::CAPACITY + 11 {
            tracing::error!("{number}");
        }
        drop(told);
        let lost = writer.counts().lost.at(LogSink::Stderr).get();
        let kept = sink::CAPACITY + 11 - usize::try_from(lost).unwrap();
        while written.0.lock().iter().filter(|byte| **byte == b'\n').count() < kept {
            writer.flush();
        }
    });
    let text = String::from_utf8(written.0.lock().clone()).unwrap();
    let lines = u64::try_from(text.lines().count()).unwrap();
    let lost = counts.lost.at(LogSink::Stderr).get();
    assert!((9..=13).contains(&lost), "{lost}");
    assert_eq!(lines + lost, counts.messages.at(LogLevel::Error).get());
}

fn wall() -> WallTime {
    WallTime::from_nanos(5)
}

#[test]
fn when_messages_go_to_rosout_expect_level_sentence_and_place_and_what_was_filtered_not() {
    let counts: Arc<LogCounts> = Arc::default();
    let options = LogOptions { format: JSON, directives: String::from("info"), rosout: true };
    let (layer, lines) = RosoutLayer::new(Arc::clone(&counts), wall);
    let subscriber = subscriber(&options, Arc::clone(&counts), std::io::sink, Some(layer)).unwrap();
    tracing::subscriber::with_default(subscriber, || {
        tracing::error!(kind = "tripped", seq = 41, "tripped: \"why\", seq {}", 41);
        tracing::debug!("filtered");
    });
    let line = lines.try_recv().unwrap();
    assert_eq!(line.message, "tripped: \"why\", seq 41");
    assert_eq!((line.level, line.stamp), (LogLevel::Error, wall()));
    assert!(line.file.ends_with("logging/tests.rs") && line.line > 0, "{line:?}");
    assert!(line.function.starts_with("interlock::"), "{line:?}");
    assert!(lines.try_recv().is_err());
}

#[test]
fn hazard_30_telemetry_disturbs_gate_a_rosout_that_does_not_keep_up_is_counted() {
    let counts: Arc<LogCounts> = Arc::default();
    let options = LogOptions { format: JSON, directives: String::from("info"), rosout: true };
    let (layer, lines) = RosoutLayer::new(Arc::clone(&counts), wall);
    let subscriber = subscriber(&options, Arc::clone(&counts), std::io::sink, Some(layer)).unwrap();
    tracing::subscriber::with_default(subscriber, || {
        for number in 0..ROSOUT_DEPTH + 3 {
            tracing::info!("{number}");
        }
        assert_eq!(counts.lost.at(LogSink::Rosout).get(), 3);
        assert_eq!(lines.len(), ROSOUT_DEPTH);
        drop(lines);
        tracing::info!("nobody is there any more");
    });
    assert_eq!(counts.lost.at(LogSink::Rosout).get(), 4);
}

#[test]
fn when_ros_switches_rosout_off_expect_none() {
    let rosout =
        |no_rosout| LogOptions::choose(&Surroundings { no_rosout, ..PLAIN }).unwrap().rosout;
    assert!(rosout(false) && !rosout(true));
}
