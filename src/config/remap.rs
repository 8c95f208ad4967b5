//! Topics after the remap rules of the command line, and which of them a remap has made one.
//!
//! rcl resolves the names that the node uses; this is its rule once more, so that a file can be checked
//! with a launch file's arguments where there is no ROS. The first rule that fits counts; both of its
//! sides are relative to the node, as topics are.

use super::args::is_token;
use super::model::{Config, LaneMode};
use super::names;

/// One `-r from:=to` about topics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Only for the node of this name.
    node: Option<String>,
    from: String,
    to: String,
}

impl Rule {
    /// Reads a rule; `None`: it is none about topics, or has a `{…}` that only rcl replaces.
    #[must_use]
    pub fn parse(rule: &str) -> Option<Self> {
        let (left, to) = rule.split_once(":=")?;
        let (node, from) = match left.split_once(':') {
            // `rostopic://name` has a colon, too.
            Some((node, from)) if is_token(node) && !from.starts_with("//") => {
                (Some(node.to_owned()), from)
            }
            Some(_) | None => (None, left),
        };
        let from = from.strip_prefix("rostopic://").unwrap_or(from);
        let is_plain = !from.starts_with("rosservice://") && !rule.contains('{');
        is_plain.then(|| Self { node, from: from.to_owned(), to: to.to_owned() })
    }
}

/// The absolute name of a topic as it is written, in a node of this namespace and name.
#[must_use]
pub fn resolve(topic: &str, rules: &[Rule], (namespace, node_name): (&str, &str)) -> String {
    let absolute = |name: &str| names::absolute(name, namespace, node_name);
    let topic = absolute(topic);
    let fits = |rule: &&Rule| {
        rule.node.as_deref().is_none_or(|node| node == node_name) && absolute(&rule.from) == topic
    };
    rules.iter().find(fits).map_or_else(|| topic.clone(), |rule| absolute(&rule.to))
}

/// Two uses of one topic that remapping has brought together, the topic last: commands that come back
/// from an output, two lanes on one controller, or one source on two lanes. Without remapping the
/// configuration itself would have been refused. `resolved` gives the absolute name of a written one.
#[must_use]
pub fn brought_together(
    config: &Config,
    resolved: impl Fn(&str) -> String,
) -> Option<(String, String, String)> {
    let gated = || config.lanes.iter().filter(|lane| lane.mode == LaneMode::Gate);
    let outputs = gated().map(|lane| (format!("lanes.{}.output", lane.name), &lane.output));
    let commands = gated().flat_map(|lane| {
        let key = |source: &str| format!("lanes.{}.sources.{source}.topic", lane.name);
        lane.sources.iter().map(move |source| (key(&source.name), &source.topic))
    });
    let kills = config.kill_inputs.iter();
    let kills = kills.map(|input| (format!("kill_inputs.{}.topic", input.name), &input.topic));
    let feedback = config.feedback.iter();
    let feedback = feedback.map(|input| (format!("feedback.{}.topic", input.name), &input.topic));
    let inputs = kills.chain(feedback);
    let named = |(key, topic): (String, &String)| (key, resolved(topic));
    let outputs: Vec<(String, String)> = outputs.map(named).collect();
    let commands: Vec<(String, String)> = commands.map(named).collect();
    let inputs: Vec<(String, String)> = inputs.map(named).collect();
    let pair = |one: &[(String, String)], other: &[(String, String)]| {
        one.iter().find_map(|(first, topic)| {
            let same = other.iter().find(|(second, name)| name == topic && second != first);
            same.map(|(second, _)| (first.clone(), second.clone(), topic.clone()))
        })
    };
    pair(&outputs, &outputs)
        .or_else(|| pair(&outputs, &commands))
        .or_else(|| pair(&outputs, &inputs))
        .or_else(|| pair(&commands, &commands))
        .or_else(|| pair(&commands, &inputs))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GATE: (&str, &str) = ("/left", "gate");

    fn resolved(topic: &str, rules: &[&str]) -> String {
        let rules: Vec<Rule> = rules.iter().filter_map(|rule| Rule::parse(rule)).collect();
        resolve(topic, &rules, GATE)
    }

    #[test]
    fn when_topics_are_remapped_expect_the_first_rule_that_fits_and_both_sides_relative() {
        assert_eq!(resolved("cmd_vel", &[]), "/left/cmd_vel");
        assert_eq!(resolved("cmd_vel", &["cmd_vel:=out", "cmd_vel:=other"]), "/left/out");
        assert_eq!(resolved("cmd_vel", &["/left/cmd_vel:=/out"]), "/out");
        assert_eq!(resolved("/cmd_vel", &["cmd_vel:=out"]), "/cmd_vel", "another topic");
        assert_eq!(resolved("~/pad", &["~/pad:=pad"]), "/left/pad");
        assert_eq!(resolved("cmd_vel", &["gate:cmd_vel:=out"]), "/left/out");
        assert_eq!(resolved("cmd_vel", &["other:cmd_vel:=out"]), "/left/cmd_vel");
        // Once only: what a rule gives is not remapped again.
        assert_eq!(resolved("a", &["a:=b", "b:=c"]), "/left/b");
    }

    #[test]
    fn when_a_rule_is_for_topics_or_services_only_expect_topics_only() {
        assert_eq!(resolved("cmd_vel", &["rostopic://cmd_vel:=out"]), "/left/out");
        assert_eq!(resolved("cmd_vel", &["rostopic:///left/cmd_vel:=out"]), "/left/out");
        assert_eq!(resolved("cmd_vel", &["gate:rostopic://cmd_vel:=out"]), "/left/out");
        assert_eq!(resolved("cmd_vel", &["rosservice://cmd_vel:=out"]), "/left/cmd_vel");
        for unread in ["{node}/cmd_vel:=out", "cmd_vel:={ns}/out", "cmd_vel"] {
            assert_eq!(Rule::parse(unread), None, "{unread}");
        }
    }
}
