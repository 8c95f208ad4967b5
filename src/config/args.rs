//! The process's arguments: which belong to ROS, which files and parameters they name, and what
//! the node will be called.
//!
//! launch passes `--ros-args … --` behind our own options. rcl reads the ROS part; this module
//! reads the same part first, because a bad argument must become a text here and not a panic in
//! r2r. **Invariant:** the name computed here is the one that rcl gives the node.

use super::problem::{Place, Problem, Problems};
use super::remap::{self, Rule};

/// The name without remapping.
pub const DEFAULT_NODE_NAME: &str = "interlock";

/// A part of the parameters, in the order of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParameterSource {
    /// `--params-file PATH`, or a file of `--check-config`.
    File(String),
    /// `-p [node:]name:=value`.
    Rule {
        /// The section that rcl puts it into: `/**` or the node's name.
        section: String,
        /// Dotted name.
        name: String,
        /// Text of the value.
        value: String,
    },
}

/// The arguments, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments {
    /// Everything outside `--ros-args … --`, in order: for clap.
    pub plain: Vec<String>,
    /// Files and `-p` rules with their place.
    pub sources: Vec<(ParameterSource, Place)>,
    /// Node name after remapping.
    pub node_name: String,
    /// Namespace after remapping; `/` or `/a/b`.
    pub namespace: String,
    /// The ROS part as given, with `--ros-args`: for rcl.
    pub ros: Vec<String>,
    /// Rules about topics, in order.
    pub remaps: Vec<Rule>,
}

impl Arguments {
    /// The node's full name, for example `/interlock`.
    #[must_use]
    pub fn full_name(&self) -> String {
        join_name(&self.namespace, &self.node_name)
    }

    /// The absolute name of a topic after the rules.
    #[must_use]
    pub fn resolved(&self, topic: &str) -> String {
        remap::resolve(topic, &self.remaps, (&self.namespace, &self.node_name))
    }

    /// Takes the arguments apart; the program's name is not among them.
    ///
    /// # Errors
    /// ROS arguments that rcl refuses, and ones it would ignore.
    pub fn parse(args: &[String]) -> Result<Self, Problems> {
        let mut parser = ArgumentParser::default();
        parser.run(args);
        if !parser.problems.is_empty() {
            return Err(parser.problems);
        }
        let node_name = first_rule(&parser.names, DEFAULT_NODE_NAME)
            .unwrap_or_else(|| DEFAULT_NODE_NAME.to_owned());
        let namespace =
            first_rule(&parser.namespaces, &node_name).unwrap_or_else(|| "/".to_owned());
        Ok(Self {
            plain: parser.plain,
            sources: parser.sources,
            node_name,
            namespace,
            ros: parser.ros,
            remaps: parser.remaps,
        })
    }

    /// Adds params files that were named without `--params-file`.
    pub fn add_files(&mut self, files: &[String]) {
        for file in files {
            let place = Place { rank: self.sources.len(), line: 0, label: file.clone() };
            self.sources.push((ParameterSource::File(file.clone()), place));
        }
    }
}

/// A namespace and a name to a full name.
#[must_use]
pub fn join_name(namespace: &str, name: &str) -> String {
    format!("{}/{name}", namespace.trim_end_matches('/'))
}

/// A `__node` or `__ns` rule: for which node name, and the new value.
type NameRule = (Option<String>, String);

/// rcl applies the first rule that has no node's name in front or this one.
fn first_rule(rules: &[NameRule], node_name: &str) -> Option<String> {
    rules
        .iter()
        .find(|(only, _)| only.as_deref().is_none_or(|only| only == node_name))
        .map(|(_, value)| value.clone())
}

#[derive(Default)]
struct ArgumentParser {
    plain: Vec<String>,
    sources: Vec<(ParameterSource, Place)>,
    names: Vec<NameRule>,
    namespaces: Vec<NameRule>,
    ros: Vec<String>,
    remaps: Vec<Rule>,
    problems: Problems,
}

impl ArgumentParser {
    fn run(&mut self, args: &[String]) {
        let mut is_ros = false;
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            if !is_ros {
                if arg == "--ros-args" {
                    is_ros = true;
                    self.ros.push(arg.clone());
                } else {
                    self.plain(arg);
                }
                continue;
            }
            self.ros.push(arg.clone());
            match arg.as_str() {
                "--ros-args" => {}
                "--" => is_ros = false,
                "-p" | "--param" | "-r" | "--remap" | "--params-file" | "--log-level"
                | "--log-config-file" | "--log-file-name" | "-e" | "--enclave" => {
                    match rest.next() {
                        Some(value) => {
                            self.ros.push(value.clone());
                            self.option(arg, value);
                        }
                        None => self.refuse(
                            arg,
                            "has nothing after it",
                            "a value as the next argument",
                            "rcl refuses all arguments",
                            "add the value, or remove the option",
                        ),
                    }
                }
                "--enable-stdout-logs"
                | "--disable-stdout-logs"
                | "--enable-rosout-logs"
                | "--disable-rosout-logs"
                | "--enable-external-lib-logs"
                | "--disable-external-lib-logs" => {}
                _ => self.refuse(
                    arg,
                    "is not a ROS argument",
                    "-p, -r, --params-file, --log-level, --log-config-file, --log-file-name, \
                     --enclave, --enable-… and --disable-…-logs; -- ends them",
                    "rcl ignores what it does not know, and a mistyped --params-file would be no \
                     file at all",
                    "correct it, or put -- in front of it if it is not for ROS",
                ),
            }
        }
    }

    fn plain(&mut self, arg: &str) {
        // rcl still takes `from:=to` anywhere as a remap rule; our own options have no such form.
        if arg.contains(":=") {
            self.refuse(
                arg,
                "is outside --ros-args",
                "remap rules and parameters behind --ros-args",
                "rcl takes it as a remap rule in a deprecated form",
                "write --ros-args -r or -p in front of it",
            );
        }
        self.plain.push(arg.to_owned());
    }

    fn option(&mut self, option: &str, value: &str) {
        match option {
            "--params-file" => {
                let place = Place { rank: self.sources.len(), line: 0, label: value.to_owned() };
                self.sources.push((ParameterSource::File(value.to_owned()), place));
            }
            "-p" | "--param" => self.parameter(option, value),
            "-r" | "--remap" => self.remap(option, value),
            _ => {}
        }
    }

    fn parameter(&mut self, option: &str, rule: &str) {
        let label = format!("{option} {rule}");
        let parts = rule.split_once(":=").map(|(left, value)| {
            let (node, name) = match left.split_once(':') {
                Some((node, name)) => (Some(node), name),
                None => (None, left),
            };
            (node, name, value)
        });
        match parts {
            Some((node, name, value))
                if node.is_none_or(is_token)
                    && name.split('.').all(is_token)
                    && !value.is_empty() =>
            {
                let section = node.unwrap_or("/**").to_owned();
                let place = Place { rank: self.sources.len(), line: 0, label };
                let rule = ParameterSource::Rule {
                    section,
                    name: name.to_owned(),
                    value: value.to_owned(),
                };
                self.sources.push((rule, place));
            }
            Some(_) | None => self.refuse(
                &label,
                "is not a parameter rule",
                "name:=value or node:name:=value, names of letters, digits and _",
                "rcl refuses all arguments",
                "correct the rule",
            ),
        }
    }

    fn remap(&mut self, option: &str, rule: &str) {
        let Some((left, value)) = rule.split_once(":=") else {
            return self.refuse(
                &format!("{option} {rule}"),
                "is not a remap rule",
                "from:=to",
                "rcl refuses all arguments",
                "correct the rule",
            );
        };
        let (node, name) = match left.split_once(':') {
            Some((node, name)) if is_token(node) => (Some(node.to_owned()), name),
            Some(_) | None => (None, left),
        };
        match name {
            "__node" | "__name" => {
                if is_token(value) {
                    return self.names.push((node, value.to_owned()));
                }
            }
            "__ns" => {
                if value == "/" || is_absolute(value) {
                    return self.namespaces.push((node, value.to_owned()));
                }
            }
            // A topic or service: whether the names are good is rcl's own business.
            _ => {
                self.remaps.extend(Rule::parse(rule));
                return;
            }
        }
        self.refuse(
            &format!("{option} {rule}"),
            "is not a name",
            "__node:=name, __ns:=/name or /name/name, of letters, digits and _",
            "rcl refuses all arguments, or keeps the old name",
            "correct the rule",
        );
    }

    fn refuse(&mut self, key: &str, found: &str, allowed: &str, because: &str, fix: &str) {
        self.problems.push(Problem {
            key: key.to_owned(),
            found: found.to_owned(),
            allowed: allowed.to_owned(),
            because: because.to_owned(),
            fix: fix.to_owned(),
            place: Place { rank: self.problems.len(), line: 0, label: "arguments".to_owned() },
        });
    }
}

pub(super) fn is_token(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !text.contains("__")
}

fn is_absolute(text: &str) -> bool {
    text.strip_prefix('/').is_some_and(|names| names.split('/').all(is_token))
}
