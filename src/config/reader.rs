//! The flat map to the [`Config`], with every problem found on the way.
//!
//! Order: which keys exist at all (unknown, not available yet, doubtful ways of writing), then each
//! subject, then what only shows between subjects (topics that collide). Subjects skip keys that
//! already have a problem, so one mistake is told once.
//!
//! **Invariant:** a [`Config`] comes out only without a problem.

use super::keys::Keys;
use super::model::Config;
use super::problem::{Place, Problem, Problems};
use super::range::Read;
use super::schema::{self, Known, Status};
use super::value::{Doubt, FlatMap, Value};
use super::{
    batteries, causes, digest, feedback, globals, inputs, lane, lane_feedback, monitor, never,
    stop, temperatures, topics,
};

/// Who the node is: needed for topic names and texts.
#[derive(Clone, Debug)]
pub struct Context {
    /// Node name after remapping.
    pub node_name: String,
    /// Namespace after remapping.
    pub namespace: String,
    /// Heading of problems that stand in no file.
    pub label: String,
    /// Section names found in the files, for the text when none applies.
    pub sections: Vec<String>,
}

/// Reads everything.
///
/// # Errors
/// Every problem, at once.
pub fn read(map: &FlatMap, context: &Context) -> Result<Config, Problems> {
    let mut keys = Keys::new(map);
    if map.is_empty() {
        return Err(nothing_applies(context));
    }
    let foreign = foreign(&mut keys);
    known_keys(&mut keys, &foreign);
    doubts(&mut keys, &foreign);
    let globals = globals::globals(&mut keys);
    let top = globals::top(&mut keys, &globals);
    let causes = causes::causes(&mut keys);
    let profiles = causes::profiles(&mut keys);
    let feedback = feedback::feedback(&mut keys, &globals);
    let lanes = lane::lanes(&mut keys, &globals, &feedback);
    lane_feedback::refuse_shared_places(&mut keys, &lanes, &feedback);
    let kill_inputs = inputs::kill_inputs(&mut keys, &globals);
    let temperatures = temperatures::temperatures(&mut keys, &globals, &lanes);
    let batteries = batteries::batteries(&mut keys, &globals);
    let monitor = monitor::monitor(&mut keys);
    if map.names_under("lanes").is_empty() {
        keys.missing("lanes", "at least one lane", "a gate without lanes guards nothing");
    }
    inputs::refuse_names_twice(
        &mut keys,
        [
            ("feedback", "a feedback", feedback.iter().map(|one| one.name.as_str()).collect()),
            ("kill_inputs", "a kill input", kill_inputs.iter().map(|o| o.name.as_str()).collect()),
            ("temperatures", "a temperature", temperatures.iter().map(|o| &*o.name).collect()),
            ("batteries", "a battery", batteries.iter().map(|one| one.name.as_str()).collect()),
        ],
    );
    let other_paths = top.other_paths.as_deref().unwrap_or_default();
    topics::refuse_collisions(&mut keys, context, &lanes, &feedback, &kill_inputs);
    topics::refuse_other_paths(&mut keys, context, &lanes, other_paths);
    let measured = (lanes.as_slice(), feedback.as_slice(), kill_inputs.as_slice());
    stop::refuse_cut(&mut keys, context, top.stop.as_ref(), measured);
    stop::refuse_slow_ramps(&mut keys, top.stop.as_ref(), &lanes);
    let named = monitor.as_ref().map(|monitor| monitor.topics.as_slice()).unwrap_or_default();
    let named = named.iter().map(|one| (format!("monitor.topics.{}", one.name), &one.topic));
    let hot = temperatures.iter().map(|one| (format!("temperatures.{}", one.name), &one.topic));
    let charged = batteries.iter().map(|one| (format!("batteries.{}", one.name), &one.topic));
    let read = named.chain(hot).chain(charged);
    monitor::refuse_own_topics(&mut keys, context, &lanes, read);
    if keys.problems.is_empty() {
        globals::refuse_unused_urdf(&mut keys, &globals, &lanes);
        feedback::refuse_unread(&mut keys, &lanes, &feedback);
        if let (Some(causes), Some((profiles, _))) = (&causes, &profiles) {
            never::refuse(&mut keys, &lanes, &kill_inputs, (causes, profiles));
        }
    }
    if !keys.problems.is_empty() {
        return Err(keys.problems);
    }
    let config = (|| {
        let (profiles, profile) = profiles?;
        Some(Config {
            hardware_id: top.hardware_id?,
            tick: globals.tick,
            profile,
            allow_sim_time: top.allow_sim_time?,
            use_sim_time: top.use_sim_time?,
            release_over_ros: top.release_over_ros?,
            shutdown_stop: top.shutdown_stop?,
            arm_settle: top.arm_settle?,
            permit_valid_for: top.permit_valid_for?,
            stop: top.stop?,
            max_message_bytes: top.max_message_bytes?,
            http: top.http?,
            control_socket: top.control_socket?,
            realtime: top.realtime?,
            lanes,
            feedback,
            kill_inputs,
            profiles,
            causes: causes?,
            decisions_max_rate_hz: top.decisions_max_rate_hz?,
            decisions_passed_one_in: top.decisions_passed_one_in?,
            other_paths: top.other_paths?,
            latch_persist: top.latch_persist?,
            state_dir: top.state_dir?,
            temperatures,
            batteries,
            monitor: monitor?,
            urdf: globals.urdf,
            description: None,
            sha256: digest::sha256(map, &foreign),
        })
    })();
    // A reader that gives nothing without a problem is a mistake in this program: still refuse.
    config.ok_or_else(|| {
        Problems::from(vec![Problem {
            key: "configuration".to_owned(),
            found: "could not be read, and nothing said why".to_owned(),
            allowed: "a configuration".to_owned(),
            because: "this is a mistake in interlock".to_owned(),
            fix: "please report it with the params file".to_owned(),
            place: Place { label: context.label.clone(), ..Place::default() },
        }])
    })
}

fn nothing_applies(context: &Context) -> Problems {
    let name = super::args::join_name(&context.namespace, &context.node_name);
    let sections = if context.sections.is_empty() {
        "there is no section at all".to_owned()
    } else {
        format!("the sections are {}", context.sections.join(", "))
    };
    Problems::from(vec![Problem {
        key: "lanes".to_owned(),
        found: format!("no parameters apply to {name}"),
        allowed: "a section whose name matches, with at least one lane".to_owned(),
        because: format!("a gate without lanes guards nothing; {sections}"),
        fix: format!("name the section {name}, or /**/{} for any namespace", context.node_name),
        place: Place { label: context.label.clone(), ..Place::default() },
    }])
}

/// Keys of other nodes under a shared section.
fn foreign(keys: &mut Keys<'_>) -> Vec<String> {
    let names = match keys.strings("foreign_parameters") {
        Read::Absent | Read::Bad => Vec::new(),
        Read::Got(names) => names.to_vec(),
    };
    let patterns = schema::patterns();
    let mut all = Vec::new();
    for name in names {
        let is_ours = !matches!(schema::look_up(&name, &patterns), Known::Unknown(_));
        if is_ours {
            keys.refuse(
                "foreign_parameters",
                format!("{name:?} is one of our own keys"),
                "keys of other nodes",
                "a listed key is not read, so a protection could be listed away",
                "remove it from the list",
            );
        } else {
            all.push(name);
        }
    }
    all
}

/// Whether a key, or a group it stands in, is listed as foreign.
pub(super) fn is_foreign(key: &str, foreign: &[String]) -> bool {
    foreign.iter().any(|listed| {
        key.strip_prefix(listed.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

fn known_keys(keys: &mut Keys<'_>, foreign: &[String]) {
    let patterns = schema::patterns();
    let map = keys.map;
    for (key, _) in map.iter().filter(|(key, _)| !is_foreign(key, foreign)) {
        match schema::look_up(key, &patterns) {
            Known::Key(Status::Now | Status::Ros) => continue,
            Known::Key(Status::Later) => later(keys, key, &patterns),
            Known::Group(group) => {
                keys.refuse(
                    key,
                    "holds a value, but is a group of keys",
                    group.join(", "),
                    "a group has no value of its own",
                    "write the keys under it",
                );
                // What is missing in the group is missing because of this.
                keys.bad.extend(group.iter().map(|name| format!("{key}.{name}")));
            }
            Known::Below(leaf) => {
                keys.refuse(
                    key,
                    format!("stands under {leaf}, which is a value"),
                    format!("{leaf}: VALUE"),
                    "a value has no keys under it",
                    "remove it",
                );
                keys.bad.insert(leaf);
            }
            Known::Unknown(nearest) => {
                let fix = match &nearest {
                    Some(near) => format!("did you mean {near}?"),
                    None => "remove it; a key of another node goes into foreign_parameters".into(),
                };
                keys.refuse(
                    key,
                    "is not a known key",
                    "the keys of schema 1",
                    "a mistyped key would silently do nothing",
                    fix,
                );
                // The key that was meant is not missing as well.
                keys.bad.extend(nearest);
            }
        }
        keys.bad.insert(key.to_owned());
    }
}

/// Told once for a whole group that this version does not have.
fn later(keys: &mut Keys<'_>, key: &str, patterns: &[(String, Status)]) {
    let group = schema::later_group(key, patterns);
    if keys.bad.insert(group.clone()) {
        keys.refuse(
            &group,
            "is not available yet",
            "nothing: this version does not have it",
            "a key that is read and does nothing would look like a protection",
            "remove it",
        );
    }
}

/// Ways of writing that rcl reads otherwise than a person.
fn doubts(keys: &mut Keys<'_>, foreign: &[String]) {
    let map = keys.map;
    let doubtful = map.iter().filter(|(key, _)| !is_foreign(key, foreign));
    for (key, entry) in doubtful {
        let Some(doubt) = entry.doubt.as_ref().filter(|_| !keys.bad.contains(key)) else {
            continue;
        };
        let (found, allowed, because, fix) = match doubt {
            Doubt::LeadingZero(text) => (
                format!("{text} has a leading zero"),
                "a number without leading zeros, or text in quotes",
                format!("rcl reads it as {}", shown(&entry.value)),
                "write the number you mean",
            ),
            Doubt::Null(text) => (
                format!("{text} is not a value"),
                "a value",
                "rcl reads it as text; there is no null, and nothing is off by being empty"
                    .to_owned(),
                "remove the key, or write the value",
            ),
            Doubt::BlockScalar => (
                "a block (| or >) is not allowed".to_owned(),
                "a value on one line",
                "rcl reads numbers and booleans inside it".to_owned(),
                "write the value behind the key, in quotes if it is text",
            ),
            Doubt::Tag(tag) => (
                format!("the tag {tag} is not allowed"),
                "!!str, or no tag",
                "rcl ignores it".to_owned(),
                "remove the tag",
            ),
            Doubt::SeveralLines => (
                "a value over several lines is not allowed".to_owned(),
                "a value on one line",
                "a forgotten quote or comma would swallow the next key".to_owned(),
                "write it on one line",
            ),
            Doubt::TooLarge(text) => (
                format!("{text} is not a number that a double can hold"),
                "at most 1.7e308",
                "rcl reads it as text".to_owned(),
                "write a number of this world",
            ),
        };
        keys.refuse(key, found, allowed, because, fix);
        keys.bad.insert(key.to_owned());
    }
}

fn shown(value: &Value) -> String {
    value.to_string()
}
