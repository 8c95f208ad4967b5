//! Any text as a params file.
//!
//! - It is a configuration or it is refused, with a text for each problem.
//! - What is accepted and written again, key by key, is the same configuration with the same digest.
//! - The gate of it is built and takes a tick; the codecs of its lanes are built or refuse.

use interlock::codec::command::CommandCodec;
use interlock::codec::safe::SafeMessage;
use interlock::config::merge::{Part, merge};
use interlock::config::model::{Config, Origins};
use interlock::config::problem::Problems;
use interlock::config::reader::{Context, read};
use interlock::config::value::{FlatMap, Value};
use interlock::config::{section, yaml};
use interlock::gate::core::Gate;
use interlock::gate::state::{BootRecord, State};
use interlock::gate::units::{Moment, SteadyTime};

use super::types::all;

/// Longer files only take longer.
const MAX_BYTES: usize = 16 * 1024;

/// One input.
pub fn run(data: &[u8]) {
    if data.len() > MAX_BYTES {
        return;
    }
    // The loader refuses what is not UTF-8 before anything else looks at it.
    let Ok(text) = std::str::from_utf8(data) else { return };
    let map = match flat(text) {
        Ok(map) => map,
        Err(problems) => return told(&problems),
    };
    match read(&map, &context()) {
        Ok(config) => accepted(&map, config),
        Err(problems) => told(&problems),
    }
}

/// The configuration of a params file's text.
///
/// # Errors
/// Every problem.
pub fn config(text: &str) -> Result<Config, Problems> {
    read(&flat(text)?, &context())
}

fn flat(text: &str) -> Result<FlatMap, Problems> {
    let tree = yaml::parse(text, 0, "FILE")?;
    merge(&[Part::File(section::sections(tree, 0, "FILE")?)], "/interlock")
}

fn context() -> Context {
    Context {
        node_name: "interlock".to_owned(),
        namespace: "/".to_owned(),
        label: "FILE".to_owned(),
        sections: Vec::new(),
    }
}

fn told(problems: &Problems) {
    assert!(!problems.is_empty());
    for problem in problems.sorted() {
        assert!(!problem.key.is_empty() && !problem.found.is_empty(), "{problem:?}");
        assert!(!problem.allowed.is_empty() && !problem.fix.is_empty(), "{problem:?}");
    }
    assert!(!problems.to_string().is_empty());
}

fn accepted(map: &FlatMap, read: Config) {
    let text = written(map);
    let again = config(&text).unwrap_or_else(|problems| panic!("{text}\n{problems}"));
    assert_eq!(again.sha256, read.sha256, "{text}");
    // But for the lines that its limits stand in.
    assert_eq!(without_places(again), without_places(read.clone()), "{text}");
    for lane in &read.lanes {
        let Some(message) = all().into_iter().find(|message| message.name == lane.type_name) else {
            continue;
        };
        let Ok(codec) = CommandCodec::new(lane, &message, read.max_message_bytes) else { continue };
        drop(SafeMessage::new(lane, &message, codec, read.max_message_bytes));
    }
    let mut gate = Gate::new(read.gate_rules(), BootRecord::Clean, 1, Moment::default());
    gate.tick(Moment { steady: SteadyTime::from_nanos(10_000_000), ..Moment::default() });
    assert_eq!(gate.machine().state(), State::Disarmed);
}

fn without_places(mut config: Config) -> Config {
    for lane in &mut config.lanes {
        for origins in &mut lane.origins {
            *origins = Origins::default();
        }
    }
    config
}

/// The map as a params file: one line a key, every text quoted.
fn written(map: &FlatMap) -> String {
    let mut text = String::from("/**:\n  ros__parameters:\n");
    let mut above: Vec<&str> = Vec::new();
    for (key, entry) in map.iter() {
        let steps: Vec<&str> = key.split('.').collect();
        let (last, folders) = steps.split_last().expect("a name");
        let same = above.iter().zip(folders).take_while(|(one, other)| one == other).count();
        for (depth, folder) in folders.iter().enumerate().skip(same) {
            text.push_str(&format!("{}{}:\n", indent(depth), quoted(folder)));
        }
        above = folders.to_vec();
        let value = value(&entry.value);
        text.push_str(&format!("{}{}: {value}\n", indent(folders.len()), quoted(last)));
    }
    text
}

fn indent(depth: usize) -> String {
    " ".repeat(4 + 2 * depth)
}

fn value(value: &Value) -> String {
    fn list<T>(values: &[T], one: impl Fn(&T) -> String) -> String {
        format!("[{}]", values.iter().map(one).collect::<Vec<_>>().join(", "))
    }
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Double(value) => double(*value),
        Value::String(value) => quoted(value),
        Value::BoolArray(values) => list(values, bool::to_string),
        Value::IntArray(values) => list(values, i64::to_string),
        Value::DoubleArray(values) => list(values, |value| double(*value)),
        Value::StringArray(values) => list(values, |value| quoted(value)),
    }
}

fn double(value: f64) -> String {
    if value.is_nan() {
        return ".nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    format!("{value:?}")
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
