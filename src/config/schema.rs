//! Every key of the params file's schema 1, whether this version has it or not.
//!
//! The readers know what a key means; this list knows that it exists. So a mistyped key is an
//! error with the nearest known one, and a documented key of a later version is refused by name
//! instead of being ignored.
//!
//! **Invariant:** each key that a reader asks for is in this list as [`Status::Now`].

/// Whether this version reads a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Read by this version.
    Now,
    /// Documented, not available yet.
    Later,
    /// One of ROS's own parameters.
    Ros,
}

/// What the list says about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// It is in the list.
    Key(Status),
    /// It should hold further keys, these.
    Group(Vec<String>),
    /// It stands under a key that holds a value.
    Below(String),
    /// It is not in the list; the nearest one, if any is near.
    Unknown(Option<String>),
}

/// `*` is one name, a last `**` any rest.
const KEYS: &[(&str, Status)] = {
    use Status::{Later, Now, Ros};
    &[
        ("schema", Now),
        ("hardware_id", Now),
        ("tick_hz", Now),
        ("profile", Now),
        ("allow_sim_time", Now),
        ("release_over_ros", Now),
        ("shutdown_stop_s", Now),
        ("arm.settle_s", Now),
        ("stop.deadline_s", Now),
        ("stop.escalation", Now),
        ("stop.cut_topic", Now),
        ("permit.valid_s", Now),
        ("decisions.max_rate_hz", Now),
        ("decisions.passed_one_in", Now),
        ("latch.persist", Now),
        ("urdf.topic", Now),
        ("urdf.file", Now),
        ("urdf.use", Now),
        ("max_message_bytes", Now),
        ("other_paths", Now),
        ("http.enabled", Now),
        ("http.listen", Now),
        ("control_socket.path", Now),
        ("control_socket.group", Now),
        ("state_dir", Now),
        ("realtime.enabled", Now),
        ("realtime.priority", Now),
        ("realtime.cpus", Now),
        ("foreign_parameters", Now),
        ("lanes.*.type", Now),
        ("lanes.*.output", Now),
        ("lanes.*.mode", Now),
        ("lanes.*.reliability", Now),
        ("lanes.*.interface", Now),
        ("lanes.*.joints", Now),
        ("lanes.*.joint_index", Now),
        ("lanes.*.partial", Now),
        ("lanes.*.fields.position", Now),
        ("lanes.*.fields.velocity", Now),
        ("lanes.*.fields.acceleration", Now),
        ("lanes.*.fields.effort", Now),
        ("lanes.*.fields.kp", Now),
        ("lanes.*.fields.kd", Now),
        ("lanes.*.fields.stamp", Now),
        ("lanes.*.fields.names", Now),
        ("lanes.*.unused_elements", Now),
        ("lanes.*.keep", Now),
        ("lanes.*.fixed.*.field", Now),
        ("lanes.*.fixed.*.allowed", Now),
        ("lanes.*.fixed.*.safe", Now),
        ("lanes.*.fixed.*.mirror", Now),
        ("lanes.*.allow_non_finite", Now),
        ("lanes.*.checksum.field", Now),
        ("lanes.*.checksum.kind", Now),
        ("lanes.*.balance", Now),
        ("lanes.*.feedback", Now),
        ("lanes.*.because", Now),
        ("lanes.*.controller", Now),
        ("lanes.*.required", Now),
        ("lanes.*.unlimited", Now),
        ("lanes.*.on_limit.position", Now),
        ("lanes.*.on_limit.velocity", Now),
        ("lanes.*.on_limit.acceleration", Now),
        ("lanes.*.on_limit.effort", Now),
        ("lanes.*.on_limit.jerk", Now),
        ("lanes.*.on_limit.kp", Now),
        ("lanes.*.on_limit.kd", Now),
        ("lanes.*.on_limit.total_effort", Now),
        ("lanes.*.groups.*", Now),
        ("lanes.*.standstill", Now),
        ("lanes.*.silence.then", Now),
        ("lanes.*.silence.after_s", Now),
        ("lanes.*.independent", Now),
        ("lanes.*.return_to", Now),
        ("lanes.*.start_ramp_s", Now),
        ("lanes.*.handover.duration_s", Now),
        ("lanes.*.handover.limit_scale", Now),
        ("lanes.*.safe.command", Now),
        ("lanes.*.safe.deceleration", Now),
        ("lanes.*.safe.tolerance", Now),
        ("lanes.*.safe.rate_hz", Now),
        ("lanes.*.safe.kd", Now),
        ("lanes.*.safe.values", Now),
        ("lanes.*.safe.because", Now),
        ("lanes.*.release_s", Now),
        ("lanes.*.other_publishers", Now),
        ("lanes.*.sources.*.topic", Now),
        ("lanes.*.sources.*.priority", Now),
        ("lanes.*.sources.*.timeout_s", Now),
        ("lanes.*.sources.*.allow_no_timeout", Now),
        ("lanes.*.sources.*.max_rate_hz", Now),
        ("lanes.*.sources.*.burst", Now),
        ("lanes.*.sources.*.mode", Now),
        ("lanes.*.sources.*.limit_scale", Now),
        ("lanes.*.sources.*.engage", Now),
        ("lanes.*.sources.*.engage_window", Now),
        ("lanes.*.sources.*.max_age_s", Now),
        ("lanes.*.sources.*.revision", Now),
        ("lanes.*.sources.*.reliability", Now),
        ("lanes.*.sources.*.allowed_nodes", Now),
        ("feedback.*.type", Now),
        ("feedback.*.topic", Now),
        ("feedback.*.timeout_s", Now),
        ("feedback.*.reliability", Now),
        ("feedback.*.joints", Now),
        ("feedback.*.joint_index", Now),
        ("feedback.*.fields.position", Now),
        ("feedback.*.fields.velocity", Now),
        ("feedback.*.fields.effort", Later),
        ("feedback.*.fields.stamp", Later),
        ("feedback.*.fields.names", Now),
        ("feedback.*.checksum.field", Now),
        ("feedback.*.checksum.kind", Now),
        ("feedback.*.max_tilt", Now),
        ("feedback.*.max_angular_velocity", Now),
        ("kill_inputs.*.type", Now),
        ("kill_inputs.*.topic", Now),
        ("kill_inputs.*.timeout_s", Now),
        ("kill_inputs.*.allow_no_heartbeat", Now),
        ("kill_inputs.*.field", Now),
        ("kill_inputs.*.asserted_when", Now),
        ("kill_inputs.*.kill_after_s", Now),
        ("kill_inputs.*.action", Now),
        ("temperatures.*.type", Now),
        ("temperatures.*.topic", Now),
        ("temperatures.*.field", Now),
        ("temperatures.*.timeout_s", Now),
        ("temperatures.*.valid", Now),
        ("temperatures.*.joints_of", Now),
        ("temperatures.*.warn_celsius", Now),
        ("temperatures.*.derate_celsius", Now),
        ("temperatures.*.trip_celsius", Now),
        ("temperatures.*.hysteresis_celsius", Now),
        ("batteries.*.type", Now),
        ("batteries.*.topic", Now),
        ("batteries.*.timeout_s", Now),
        ("batteries.*.fields.percentage", Now),
        ("batteries.*.fields.charge", Now),
        ("batteries.*.fields.capacity", Now),
        ("batteries.*.fields.voltage", Now),
        ("batteries.*.fields.current", Now),
        ("batteries.*.scale.percentage", Now),
        ("batteries.*.scale.charge", Now),
        ("batteries.*.scale.capacity", Now),
        ("batteries.*.scale.voltage", Now),
        ("batteries.*.scale.current", Now),
        ("batteries.*.warn_ratio", Now),
        ("batteries.*.derate_ratio", Now),
        ("batteries.*.trip_ratio", Now),
        ("profiles.*.velocity", Now),
        ("profiles.*.acceleration", Now),
        ("profiles.*.effort", Now),
        ("profiles.*.causes.*", Now),
        ("causes.*.action", Now),
        ("causes.*.debounce_s", Now),
        ("causes.*.above", Now),
        ("causes.*.window_s", Now),
        ("monitor.topics.*.topic", Now),
        ("monitor.topics.*.rate_hz", Now),
        ("monitor.topics.*.max_gap_s", Now),
        ("monitor.topics.*.histograms", Now),
        ("monitor.patterns", Now),
        ("monitor.max_topics", Now),
        ("monitor.max_series", Now),
        ("use_sim_time", Ros),
        ("qos_overrides.**", Ros),
        ("start_type_description_service", Ros),
        ("enable_logger_service", Ros),
    ]
};

/// The kinds of limits, wherever limits stand.
const LIMIT_KINDS: &[(&str, Status)] = &[
    ("min_position", Status::Now),
    ("max_position", Status::Now),
    ("min_velocity", Status::Now),
    ("max_velocity", Status::Now),
    ("max_acceleration", Status::Now),
    ("max_deceleration", Status::Now),
    ("max_effort", Status::Now),
    ("max_jerk", Status::Now),
    ("max_kp", Status::Now),
    ("max_kd", Status::Now),
    ("max_total_effort", Status::Now),
];

/// The switches of MoveIt's and ros2_control's joint limits.
const HAS_LIMITS: &[&str] = &[
    "has_position_limits",
    "has_velocity_limits",
    "has_acceleration_limits",
    "has_deceleration_limits",
    "has_jerk_limits",
    "has_effort_limits",
];

/// Every pattern with its status.
#[must_use]
pub fn patterns() -> Vec<(String, Status)> {
    let mut all: Vec<(String, Status)> =
        KEYS.iter().map(|(pattern, status)| ((*pattern).to_owned(), *status)).collect();
    let places = ["limits", "joint_limits.*"].map(str::to_owned).into_iter().chain(
        ["linear", "angular"]
            .iter()
            .flat_map(|part| ["x", "y", "z"].map(|axis| format!("limits.{part}.{axis}"))),
    );
    for place in places {
        for (kind, status) in LIMIT_KINDS {
            all.push((format!("lanes.*.{place}.{kind}"), *status));
        }
        for has in HAS_LIMITS {
            all.push((format!("lanes.*.{place}.{has}"), Status::Now));
        }
    }
    all
}

/// Looks a key up.
#[must_use]
pub fn look_up(key: &str, patterns: &[(String, Status)]) -> Known {
    let names: Vec<&str> = key.split('.').collect();
    let mut group = Vec::new();
    let mut below = None;
    for (pattern, status) in patterns {
        let parts: Vec<&str> = pattern.split('.').collect();
        let common = parts.iter().zip(&names).take_while(|(part, name)| fits(part, name)).count();
        let is_open = parts.last() == Some(&"**") && common + 1 >= parts.len();
        if is_open && names.len() >= parts.len() {
            return Known::Key(*status);
        }
        if common == parts.len() && common == names.len() {
            return Known::Key(*status);
        }
        if common == names.len() && group.len() < 6 {
            group.push(parts.get(common..).unwrap_or_default().join("."));
        }
        if common == parts.len() && below.is_none() {
            below = Some(names.get(..common).unwrap_or_default().join("."));
        }
    }
    match below {
        Some(leaf) => Known::Below(leaf),
        None if !group.is_empty() => Known::Group(group),
        None => Known::Unknown(nearest(&names, patterns)),
    }
}

/// The widest group around a key of which this version has nothing.
#[must_use]
pub fn later_group(key: &str, patterns: &[(String, Status)]) -> String {
    let names: Vec<&str> = key.split('.').collect();
    let is_later = |count: usize| {
        let group = names.get(..count).unwrap_or_default();
        patterns.iter().all(|(pattern, status)| {
            let mut parts = pattern.split('.');
            let is_inside =
                group.iter().all(|name| parts.next().is_some_and(|part| fits(part, name)));
            !is_inside || *status == Status::Later
        })
    };
    let count = (1..names.len()).find(|count| is_later(*count)).unwrap_or(names.len());
    names.get(..count).unwrap_or_default().join(".")
}

fn fits(part: &str, name: &str) -> bool {
    part == "*" || part == name
}

/// The known key that is fewest letters away, with the names of `key` in place of `*`.
fn nearest(names: &[&str], patterns: &[(String, Status)]) -> Option<String> {
    let key = names.join(".");
    let candidates = patterns.iter().map(|(pattern, _)| {
        let parts = pattern.split('.').enumerate();
        let filled: Vec<&str> = parts
            .map(|(at, part)| match part {
                "*" => names.get(at).copied().unwrap_or("NAME"),
                _ => part,
            })
            .collect();
        filled.join(".")
    });
    let (distance, best) =
        candidates.map(|known| (distance(&key, &known), known)).min_by_key(|(far, _)| *far)?;
    let last = names.last().map_or(0, |name| name.len());
    (distance <= 2 + last / 4).then_some(best)
}

/// The nearest of some words, for suggestions.
#[must_use]
pub fn nearest_word<'w>(word: &str, known: &[&'w str]) -> Option<&'w str> {
    let (far, best) =
        known.iter().map(|known| (distance(word, known), *known)).min_by_key(|(far, _)| *far)?;
    (far <= 2 + word.len() / 4).then_some(best)
}

/// Insertions, deletions and replacements between two texts (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for ((to, pair), left_of) in b.iter().zip(row.windows(2)).zip(0..) {
            let [diagonal, above] = pair else { continue };
            let left: usize = next.get::<usize>(left_of).copied().unwrap_or_default();
            let replaced = diagonal + usize::from(from != *to);
            next.push(replaced.min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
