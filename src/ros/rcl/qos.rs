//! Quality of service: what we ask for, and what peers report.
//!
//! **Invariant:** a value that came from a peer is read as an integer. The
//! generated bindings make C enums Rust enums, and an unknown value in one of
//! those is undefined behaviour.

use std::time::Duration;

use r2r_rcl::{
    rmw_qos_durability_policy_e, rmw_qos_history_policy_e, rmw_qos_liveliness_policy_e,
    rmw_qos_profile_t, rmw_qos_reliability_policy_e, rmw_time_s,
};

/// Whether the middleware sends again what was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reliability {
    /// Lost samples are sent again.
    Reliable,
    /// Lost samples stay lost.
    BestEffort,
}

/// What a reader that comes late receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing that was sent before.
    Volatile,
    /// The newest samples, replayed by the writer.
    TransientLocal,
}

/// The quality of service of one of our endpoints. Keep last, automatic
/// liveliness, no deadline, no lifespan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Qos {
    /// Whether lost samples are sent again.
    pub reliability: Reliability,
    /// What a late reader receives.
    pub durability: Durability,
    /// Samples kept; at least 1.
    pub depth: usize,
}

impl Qos {
    /// Reliable, volatile, newest only: command outputs.
    pub const OUTPUT: Self =
        Self { reliability: Reliability::Reliable, durability: Durability::Volatile, depth: 1 };

    pub(super) fn to_rmw(self) -> rmw_qos_profile_t {
        const UNSPECIFIED: rmw_time_s = rmw_time_s { sec: 0, nsec: 0 };
        rmw_qos_profile_t {
            history: rmw_qos_history_policy_e::RMW_QOS_POLICY_HISTORY_KEEP_LAST,
            depth: self.depth,
            reliability: match self.reliability {
                Reliability::Reliable => {
                    rmw_qos_reliability_policy_e::RMW_QOS_POLICY_RELIABILITY_RELIABLE
                }
                Reliability::BestEffort => {
                    rmw_qos_reliability_policy_e::RMW_QOS_POLICY_RELIABILITY_BEST_EFFORT
                }
            },
            durability: match self.durability {
                Durability::Volatile => {
                    rmw_qos_durability_policy_e::RMW_QOS_POLICY_DURABILITY_VOLATILE
                }
                Durability::TransientLocal => {
                    rmw_qos_durability_policy_e::RMW_QOS_POLICY_DURABILITY_TRANSIENT_LOCAL
                }
            },
            deadline: UNSPECIFIED,
            lifespan: UNSPECIFIED,
            liveliness: rmw_qos_liveliness_policy_e::RMW_QOS_POLICY_LIVELINESS_SYSTEM_DEFAULT,
            liveliness_lease_duration: UNSPECIFIED,
            avoid_ros_namespace_conventions: false,
        }
    }
}

/// A policy as a peer reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reported<T> {
    /// A policy we know.
    Known(T),
    /// rmw's number of anything else (system default, best available, unknown,
    /// or one that did not exist when this was written).
    Other(u32),
}

/// The quality of service of somebody's endpoint, as discovery reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportedQos {
    /// Whether lost samples are sent again.
    pub reliability: Reported<Reliability>,
    /// What a late reader receives.
    pub durability: Reported<Durability>,
    /// Samples kept; 0 where discovery does not carry it.
    pub depth: usize,
    /// The longest allowed time between samples; `None`: unlimited or not given.
    pub deadline: Option<Duration>,
}

impl ReportedQos {
    /// Reads a profile that the middleware filled from a peer's announcement.
    ///
    /// # Safety
    /// `profile` points to readable, initialised bytes of a profile; the values
    /// of its enums need not be valid.
    pub(super) unsafe fn read(profile: *const rmw_qos_profile_t) -> Self {
        // SAFETY: the caller's promise; only field addresses are made, and the
        // enums (repr u32) are read as integers.
        let (reliability, durability, depth, deadline) = unsafe {
            (
                (&raw const (*profile).reliability).cast::<u32>().read(),
                (&raw const (*profile).durability).cast::<u32>().read(),
                (&raw const (*profile).depth).read(),
                (&raw const (*profile).deadline).read(),
            )
        };
        Self {
            reliability: reported_reliability(reliability),
            durability: reported_durability(durability),
            depth,
            deadline: finite(deadline),
        }
    }
}

fn reported_reliability(number: u32) -> Reported<Reliability> {
    // rmw's numbers, fixed by its interface.
    match number {
        1 => Reported::Known(Reliability::Reliable),
        2 => Reported::Known(Reliability::BestEffort),
        other => Reported::Other(other),
    }
}

fn reported_durability(number: u32) -> Reported<Durability> {
    // rmw's numbers, fixed by its interface.
    match number {
        1 => Reported::Known(Durability::TransientLocal),
        2 => Reported::Known(Durability::Volatile),
        other => Reported::Other(other),
    }
}

fn finite(time: rmw_time_s) -> Option<Duration> {
    /// rmw's "infinite" is the largest signed 64-bit count of nanoseconds.
    const INFINITE_S: u64 = 9_223_372_036;
    let nanos = u32::try_from(time.nsec).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    let duration = Duration::new(time.sec, nanos);
    (time.sec < INFINITE_S && !duration.is_zero()).then_some(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_match_the_installed_rmw() {
        for reliability in [Reliability::Reliable, Reliability::BestEffort] {
            for durability in [Durability::Volatile, Durability::TransientLocal] {
                let profile = Qos { reliability, durability, depth: 3 }.to_rmw();
                // SAFETY: a profile made by us.
                let read = unsafe { ReportedQos::read(&profile) };
                assert_eq!(read.reliability, Reported::Known(reliability));
                assert_eq!(read.durability, Reported::Known(durability));
                assert_eq!(read.depth, 3);
                assert_eq!(read.deadline, None);
            }
        }
    }

    #[test]
    fn a_number_from_the_future_is_kept_as_a_number() {
        let mut profile = std::mem::MaybeUninit::new(Qos::OUTPUT.to_rmw());
        let profile = profile.as_mut_ptr();
        // SAFETY: writes bytes of two fields of owned storage, as a peer would.
        unsafe {
            (&raw mut (*profile).reliability).cast::<u32>().write(77);
            (&raw mut (*profile).durability).cast::<u32>().write(u32::MAX);
        }
        // SAFETY: initialised storage; the enums are not valid, which is the point.
        let read = unsafe { ReportedQos::read(profile) };
        assert_eq!(read.reliability, Reported::Other(77));
        assert_eq!(read.durability, Reported::Other(u32::MAX));
    }

    #[test]
    fn infinite_unset_and_malformed_deadlines_are_none() {
        assert_eq!(finite(rmw_time_s { sec: 0, nsec: 0 }), None);
        assert_eq!(finite(rmw_time_s { sec: 9_223_372_036, nsec: 854_775_807 }), None);
        assert_eq!(finite(rmw_time_s { sec: 1, nsec: u64::MAX }), None);
        let tenth = finite(rmw_time_s { sec: 0, nsec: 100_000_000 });
        assert_eq!(tenth, Some(Duration::from_millis(100)));
    }
}
