//! What a topic's publishers offer, and how it is read so that as many as possible are heard.
//!
//! A topic has one type for a reader. The one that is read already is kept while anybody offers it;
//! else it is the one that most publishers offer. The quality of service is the best that all of
//! these keep: one best-effort publisher makes the reader best effort. Publishers of another type are
//! told apart from silence.

use crate::ros::graph::{Offer, full_name, obstacle};
use crate::ros::rcl::{Durability, EndpointInfo, Reliability, Reported};

/// How to read a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) type_name: String,
    pub(super) reliability: Reliability,
    pub(super) durability: Durability,
}

/// What the graph says of one topic.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Offered {
    /// How to read it from now on; `None`: nobody offers anything that can be read.
    pub(super) reading: Option<Reading>,
    /// All publishers.
    pub(super) publishers: usize,
    /// Those that are not heard.
    pub(super) incompatible: usize,
    /// Who they are, and why.
    pub(super) text: String,
    /// The shortest deadline that one of those heard offers, s.
    pub(super) deadline_s: Option<f64>,
}

/// Looks at the publishers of a topic that is read as `now` until then. `is_installed` says whether
/// a type can be loaded.
pub(super) fn offered(
    publishers: &[EndpointInfo],
    now: Option<&Reading>,
    mut is_installed: impl FnMut(&str) -> bool,
) -> Offered {
    let type_name = type_to_read(publishers, now, &mut is_installed);
    let of_type = |one: &&EndpointInfo| type_name.as_deref() == Some(one.topic_type.as_str());
    let heard = || publishers.iter().filter(of_type);
    let reading = type_name.as_ref().map(|type_name| best(type_name, heard()));
    // What is good enough is kept: a new subscription costs messages.
    let kept = now.filter(|now| {
        type_name.as_deref() == Some(now.type_name.as_str())
            && heard().all(|one| obstacle(Offer::of(one), asked(now)).is_none())
    });
    let reading = kept.cloned().or(reading).or_else(|| {
        // Nobody is there: one that comes back is heard at once.
        now.filter(|_| publishers.is_empty()).cloned()
    });
    let why = |one: &EndpointInfo| match &reading {
        Some(reading) => obstacle(Offer::of(one), asked(reading)),
        None => Some(format!("{} is not installed", one.topic_type)),
    };
    let unheard = publishers.iter().filter_map(|one| Some((full_name(one), why(one)?)));
    let unheard: Vec<String> = unheard.map(|(name, why)| format!("{name} ({why})")).collect();
    let deadlines = heard().filter_map(|one| one.qos.deadline);
    Offered {
        publishers: publishers.len(),
        incompatible: unheard.len(),
        text: unheard.join(", "),
        deadline_s: deadlines.min().map(|deadline| deadline.as_secs_f64()),
        reading,
    }
}

fn asked(reading: &Reading) -> Offer<'_> {
    Offer {
        durability: Reported::Known(reading.durability),
        ..Offer::ours(&reading.type_name, reading.reliability)
    }
}

fn type_to_read(
    publishers: &[EndpointInfo],
    now: Option<&Reading>,
    is_installed: &mut impl FnMut(&str) -> bool,
) -> Option<String> {
    let count = |name: &str| publishers.iter().filter(|one| one.topic_type == name).count();
    if let Some(now) = now.filter(|now| count(&now.type_name) > 0) {
        return Some(now.type_name.clone());
    }
    let mut names: Vec<&str> = publishers.iter().map(|one| one.topic_type.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|name| is_installed(name));
    // The first of the most: by name where as many offer one as the other.
    names.reverse();
    names.into_iter().max_by_key(|name| count(name)).map(str::to_owned)
}

fn best<'a>(type_name: &str, heard: impl Iterator<Item = &'a EndpointInfo> + Clone) -> Reading {
    let reliable = Reported::Known(Reliability::Reliable);
    let latched = Reported::Known(Durability::TransientLocal);
    let mut reading = Reading {
        type_name: type_name.to_owned(),
        reliability: Reliability::BestEffort,
        durability: Durability::Volatile,
    };
    if heard.clone().all(|one| one.qos.reliability == reliable) {
        reading.reliability = Reliability::Reliable;
    }
    if heard.clone().all(|one| one.qos.durability == latched) {
        reading.durability = Durability::TransientLocal;
    }
    reading
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ros::rcl::ReportedQos;

    const A: &str = "a/msg/A";
    const B: &str = "b/msg/B";

    fn publisher(node: &str, type_name: &str, reliability: Reliability) -> EndpointInfo {
        EndpointInfo {
            node_name: node.to_owned(),
            node_namespace: "/".to_owned(),
            topic_type: type_name.to_owned(),
            gid: [0; 16],
            qos: ReportedQos {
                reliability: Reported::Known(reliability),
                durability: Reported::Known(Durability::TransientLocal),
                depth: 1,
                deadline: None,
            },
        }
    }

    fn read(type_name: &str, reliability: Reliability, durability: Durability) -> Reading {
        Reading { type_name: type_name.to_owned(), reliability, durability }
    }

    #[test]
    fn when_all_offer_more_expect_more_and_the_least_of_them_else() {
        let mut all = vec![publisher("one", A, Reliability::Reliable)];
        let found = offered(&all, None, |_| true);
        let full = read(A, Reliability::Reliable, Durability::TransientLocal);
        assert_eq!((found.reading, found.incompatible), (Some(full.clone()), 0));
        all.push(publisher("two", A, Reliability::BestEffort));
        all[0].qos.durability = Reported::Known(Durability::Volatile);
        all[1].qos.deadline = Some(Duration::from_millis(20));
        let found = offered(&all, Some(&full), |_| true);
        let least = read(A, Reliability::BestEffort, Durability::Volatile);
        assert_eq!((found.reading, found.incompatible), (Some(least.clone()), 0));
        assert_eq!(found.deadline_s, Some(0.02));
        all.pop();
        all[0].qos.durability = Reported::Known(Durability::TransientLocal);
        assert_eq!(offered(&all, Some(&least), |_| true).reading, Some(least), "good enough");
    }

    #[test]
    fn when_types_differ_expect_the_one_read_already_kept_and_the_others_named() {
        let one = publisher("one", A, Reliability::Reliable);
        let others = [
            publisher("two", B, Reliability::Reliable),
            publisher("three", B, Reliability::Reliable),
        ];
        let all = [one, others[0].clone(), others[1].clone()];
        let fresh = offered(&all, None, |_| true);
        assert_eq!(fresh.reading.map(|reading| reading.type_name).as_deref(), Some(B));
        assert_eq!(fresh.text, "/one (writes a/msg/A, read as b/msg/B)");
        let now = read(A, Reliability::BestEffort, Durability::Volatile);
        let kept = offered(&all, Some(&now), |_| true);
        assert_eq!((kept.reading.as_ref(), kept.incompatible), (Some(&now), 2));
        let changed = offered(&others, Some(&now), |_| true);
        assert_eq!(changed.reading.map(|reading| reading.type_name).as_deref(), Some(B));
        assert_eq!(changed.incompatible, 0);
        let gone = offered(&[], Some(&now), |_| true);
        assert_eq!((gone.reading, gone.publishers), (Some(now), 0));
    }

    #[test]
    fn when_no_type_is_installed_expect_nothing_to_read_and_why() {
        let found = offered(&[publisher("one", A, Reliability::Reliable)], None, |_| false);
        assert_eq!((found.reading, found.incompatible), (None, 1));
        assert_eq!(found.text, "/one (a/msg/A is not installed)");
    }
}
