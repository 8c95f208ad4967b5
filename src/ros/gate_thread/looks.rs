//! Whether another thread still looks, by the number of its newest look: what it found last would stand
//! for ever.

use std::time::Duration;

use crate::gate::units::SteadyTime;

/// How long a look counts: five audits, and more than a busy machine holds one up.
const LIMIT: Duration = Duration::from_secs(5);

/// The looks of one thread, at each of its subjects.
pub(super) struct Looks {
    /// The newest one's number of each, and when it was seen first; `None` before the first.
    newest: Vec<Option<(u8, SteadyTime)>>,
    pub(super) has_stopped: bool,
}

/// What is new of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LookNews {
    None,
    /// There was another one.
    Another,
    /// There has been none for too long.
    Stopped,
    /// There is one again.
    Again,
}

impl Looks {
    pub(super) fn new(subjects: usize) -> Self {
        Self { newest: vec![None; subjects], has_stopped: false }
    }

    /// This thread stood still, and who knows who else: what is known counts anew.
    pub(super) fn stood_still(&mut self, now: SteadyTime) {
        for (_, at) in self.newest.iter_mut().flatten() {
            *at = now;
        }
    }

    /// `numbers`: of the newest look at each. One that is not looked at is enough: a look that failed has
    /// no number.
    pub(super) fn look(
        &mut self,
        numbers: impl IntoIterator<Item = Option<u8>>,
        now: SteadyTime,
    ) -> LookNews {
        let (mut is_another, mut is_late) = (false, false);
        for (newest, number) in self.newest.iter_mut().zip(numbers) {
            let Some(number) = number else { continue };
            match *newest {
                Some((seen, at)) if seen == number => is_late |= now.since(at) > LIMIT,
                Some(_) | None => {
                    *newest = Some((number, now));
                    is_another = true;
                }
            }
        }
        if is_late {
            let is_news = !std::mem::replace(&mut self.has_stopped, true);
            return if is_news { LookNews::Stopped } else { LookNews::None };
        }
        if !is_another {
            return LookNews::None;
        }
        let is_again = std::mem::take(&mut self.has_stopped);
        if is_again { LookNews::Again } else { LookNews::Another }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ros::control::AUDIT;

    #[test]
    fn when_nobody_looks_at_the_graph_any_more_expect_it_told_once_and_the_way_back() {
        let at = |s: u64| SteadyTime::from_nanos(s * 1_000_000_000);
        let mut looks = Looks::new(1);
        assert_eq!(looks.look([None], at(100)), LookNews::None, "the start is another's to bound");
        assert_eq!(looks.look([Some(7)], at(200)), LookNews::Another);
        assert_eq!(looks.look([Some(8)], at(201)), LookNews::Another);
        for s in 201..=206 {
            assert_eq!(looks.look([Some(8)], at(s)), LookNews::None);
            assert!(!looks.has_stopped);
        }
        assert_eq!(looks.look([Some(8)], at(207)), LookNews::Stopped);
        assert_eq!(looks.look([Some(8)], at(300)), LookNews::None, "once");
        assert!(looks.has_stopped);
        assert_eq!(looks.look([Some(9)], at(301)), LookNews::Again);
        assert!(!looks.has_stopped);
        assert_eq!(looks.look([Some(10)], at(302)), LookNews::Another);
        looks.stood_still(at(400));
        assert_eq!(
            looks.look([Some(10)], at(400)),
            LookNews::None,
            "it was this thread that stood"
        );
        assert_eq!(looks.look([Some(10)], at(406)), LookNews::Stopped);
        assert!(AUDIT * 5 <= LIMIT, "five of them");
    }

    #[test]
    fn when_one_lane_cannot_be_looked_at_any_more_expect_that_told_though_others_are() {
        let at = |s: u64| SteadyTime::from_nanos(s * 1_000_000_000);
        let mut looks = Looks::new(2);
        assert_eq!(looks.look([Some(1), Some(1)], at(1)), LookNews::Another);
        for s in 2..=6 {
            let number = u8::try_from(s).unwrap();
            assert_eq!(looks.look([Some(number), Some(1)], at(s)), LookNews::Another);
        }
        assert_eq!(looks.look([Some(7), Some(1)], at(7)), LookNews::Stopped);
        assert_eq!(looks.look([Some(8), Some(1)], at(8)), LookNews::None);
        assert!(looks.has_stopped);
        assert_eq!(looks.look([Some(9), Some(2)], at(9)), LookNews::Again);
    }
}
