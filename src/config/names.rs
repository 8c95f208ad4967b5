//! Names in the params file: of lanes and sources, joints, topics and message types.

use super::keys::Keys;

/// Longest name of a lane, source or input.
const MAX_NAME: usize = 32;

/// Whether it matches `[a-z][a-z0-9_]{0,31}` and is not reserved.
pub(super) fn check_name(keys: &mut Keys<'_>, key: &str, name: &str) -> bool {
    let is_reserved = matches!(name, "none" | "all" | "self");
    let is_well_formed = name.len() <= MAX_NAME
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if is_reserved {
        keys.refuse(
            key,
            format!("the name {name:?} is reserved"),
            "[a-z][a-z0-9_]{0,31}, but not none, all or self",
            "these words have a meaning of their own in commands",
            "choose another name",
        );
    } else if !is_well_formed {
        keys.refuse(
            key,
            format!("the name {name:?} is not allowed"),
            "[a-z][a-z0-9_]{0,31}",
            "it appears in topics, metrics and commands",
            "choose another name",
        );
    }
    is_well_formed && !is_reserved
}

/// The names under a group, each checked.
pub(super) fn names(keys: &mut Keys<'_>, group: &str) -> Vec<String> {
    let all = keys.map.names_under(group);
    all.into_iter().filter(|name| check_name(keys, &format!("{group}.{name}"), name)).collect()
}

/// A needed topic name.
pub(super) fn topic(keys: &mut Keys<'_>, key: &str) -> Option<String> {
    let read = keys.string(key).and_then(|topic| {
        if is_topic(topic) {
            return Some(topic.to_owned());
        }
        keys.refuse(
            key,
            format!("{topic:?} is not allowed"),
            "name, ns/name, /ns/name or ~/name, of letters, digits and _",
            "it is not a name of a ROS topic",
            "correct the name",
        );
        None
    });
    keys.needed(key, read, "a topic", "there is no topic that could be guessed")
}

pub(super) fn is_topic(topic: &str) -> bool {
    let names = match topic.strip_prefix("~/") {
        Some(private) => private,
        None => topic.strip_prefix('/').unwrap_or(topic),
    };
    topic.len() <= 200 && names.split('/').all(is_topic_name)
}

fn is_topic_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.contains("__")
}

/// The absolute name of a topic before remapping.
pub(super) fn absolute(topic: &str, namespace: &str, node_name: &str) -> String {
    let namespace = namespace.trim_end_matches('/');
    match topic.strip_prefix("~/") {
        Some(private) => format!("{namespace}/{node_name}/{private}"),
        None if topic.starts_with('/') => topic.to_owned(),
        None => format!("{namespace}/{topic}"),
    }
}

/// Whether it reads `package/msg/Name`.
pub(super) fn is_message_type(name: &str) -> bool {
    let parts: Vec<&str> = name.split('/').collect();
    let [package, kind, message] = parts.as_slice() else {
        return false;
    };
    *kind == "msg"
        && package.starts_with(|c: char| c.is_ascii_lowercase())
        && package.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && message.starts_with(|c: char| c.is_ascii_uppercase())
        && message.chars().all(|c| c.is_ascii_alphanumeric())
}

/// A needed message type, any.
pub(super) fn any_message_type<'m>(keys: &mut Keys<'m>, key: &str) -> Option<&'m str> {
    let read = keys.string(key).and_then(|name| {
        if is_message_type(name) {
            return Some(name);
        }
        keys.refuse(
            key,
            format!("{name:?} is not a message type"),
            "package/msg/Name",
            "the type support is loaded by this name",
            "correct the name",
        );
        None
    });
    let allowed = "package/msg/Name";
    keys.needed(key, read, allowed, "the type decides how the message is read")
}

/// A needed message type out of those with a built-in map; any other needs `fields`.
pub(super) fn message_type<T: Copy>(
    keys: &mut Keys<'_>,
    key: &str,
    known: &[(&str, T)],
) -> Option<T> {
    let because =
        "only these have a built-in map; of any other type `fields` must say what is what";
    let fix = "add `fields`, for example fields.position: motor_cmd[].q";
    type_among(keys, key, known, ("has no built-in map", because, fix))
}

/// A needed message type out of some, and no other; what another one is, why, and the way out.
pub(super) fn type_among<T: Copy>(
    keys: &mut Keys<'_>,
    key: &str,
    known: &[(&str, T)],
    (other, because, way_out): (&str, &str, &str),
) -> Option<T> {
    let words: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    let list = words.join(", ");
    let read = keys.string(key).and_then(|name| {
        if let Some((_, value)) = known.iter().find(|(known, _)| *known == name) {
            return Some(*value);
        }
        let near = super::schema::nearest_word(name, &words);
        let fix = near.map_or_else(|| way_out.to_owned(), |near| format!("did you mean {near}?"));
        if is_message_type(name) {
            keys.refuse(key, format!("{name} {other}"), list.clone(), because, fix);
        } else {
            keys.refuse(
                key,
                format!("{name:?} is not a message type"),
                list.clone(),
                "a type is written package/msg/Name",
                fix,
            );
        }
        None
    });
    keys.needed(key, read, &list, "the type decides how the message is read")
}
