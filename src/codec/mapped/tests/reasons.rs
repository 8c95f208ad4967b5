//! Every reason that a codec gives, produced by bytes. The match has no wildcard: an entry that nobody
//! produces does not compile.

use super::vendor::{frame, sealed, seen};
use super::*;
use crate::codec::test_types::{joint_state_bytes, joint_state_type};
use crate::gate::test_rules::{Finder, finder};

/// What a lane of two named joints says of these.
fn named(names: &[&str]) -> Option<Reason> {
    let lane = test_lane(CommandType::JointState, &["hip", "knee"]);
    let mut codec = CommandCodec::new(&lane, &joint_state_type(), 4096).unwrap();
    let mut command = codec.new_command();
    let bytes = joint_state_bytes(names, &[0.1, 0.2], &[], &[]);
    codec.decode(&bytes, &mut command).err().map(|refusal| refusal.reason)
}

fn produce(reason: Reason) -> Option<Reason> {
    let mut robot = seen();
    match reason {
        Reason::Malformed => {
            let whole = sealed(&[]);
            robot.reason(&whole[..whole.len() / 2])
        }
        Reason::UnknownJoint => named(&["hip", "nose"]),
        Reason::DuplicateJoint => named(&["hip", "hip"]),
        Reason::FixedValue => robot.reason(&sealed(&[("mode_pr", Value::Signed(2))])),
        Reason::Checksum => robot.reason(&frame(&[("crc", Value::Unsigned(1))])),
        Reason::TooLarge
        | Reason::NotFinite
        | Reason::WrongCount
        | Reason::Fenced
        | Reason::RateExceeded
        | Reason::StaleStamp
        | Reason::FutureStamp
        | Reason::OutOfOrder
        | Reason::OtherPublisher
        | Reason::PublisherNotAllowed
        | Reason::LockedAxis
        | Reason::Position
        | Reason::Velocity
        | Reason::Acceleration
        | Reason::Jerk
        | Reason::Effort
        | Reason::Gain
        | Reason::TotalEffort
        | Reason::Discontinuity
        | Reason::Horizon
        | Reason::TimesNotIncreasing => None,
    }
}

#[test]
fn every_reason_that_a_codec_finds_is_produced() {
    for &reason in Reason::ALL {
        let expected = (finder(reason) == Finder::Codec).then_some(reason);
        assert_eq!(produce(reason), expected);
    }
    assert_eq!(named(&["knee", "hip"]), None);
    assert_eq!(seen().reason(&sealed(&[])), None);
}
