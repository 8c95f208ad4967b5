//! The two commands that are sent, as CDR bytes: little endian, 8-byte numbers aligned from byte 4.

use r2r::WrappedTypesupport;
use r2r::geometry_msgs::msg::Twist;
use r2r::std_msgs::msg::Float64MultiArray;

pub(crate) const JOINTS: usize = 29;

/// Little-endian CDR.
const HEADER: [u8; 4] = [0, 1, 0, 0];
/// No dimension, offset 0, the count of numbers, and four bytes up to the alignment of the first.
const ARRAY_HEAD: usize = 4 + 4 + 4 + 4 + 4;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `std_msgs/msg/Float64MultiArray` of 29 positions.
    Joints,
    /// `geometry_msgs/msg/Twist`.
    Twist,
}

impl Kind {
    pub(crate) fn of(name: &str) -> Self {
        match name {
            "joints" => Self::Joints,
            "twist" => Self::Twist,
            other => panic!("{other} is no kind of command"),
        }
    }

    pub(crate) fn type_support(self) -> &'static r2r_rcl::rosidl_message_type_support_t {
        match self {
            Self::Joints => Float64MultiArray::get_ts(),
            Self::Twist => Twist::get_ts(),
        }
    }

    /// Where the numbers begin. Only they are compared: who deserializes and serializes again leaves
    /// garbage in the padding before them.
    pub(crate) fn numbers_at(self) -> usize {
        match self {
            Self::Joints => ARRAY_HEAD,
            Self::Twist => HEADER.len(),
        }
    }

    /// The command with these numbers: 29 positions; or linear x and y and angular z.
    pub(crate) fn encode(self, value: impl Fn(usize) -> f64, bytes: &mut Vec<u8>) {
        bytes.clear();
        bytes.extend(HEADER);
        match self {
            Self::Joints => {
                bytes.extend([0; 8]);
                bytes.extend((JOINTS as u32).to_le_bytes());
                bytes.extend([0; 4]);
                (0..JOINTS).for_each(|joint| bytes.extend(value(joint).to_le_bytes()));
            }
            Self::Twist => {
                let numbers = [value(0), value(1), 0.0, 0.0, 0.0, value(2)];
                numbers.iter().for_each(|number| bytes.extend(number.to_le_bytes()));
            }
        }
    }
}
