//! Message types without ROS: the standard ones that Interlock has built in, and those of the tests.
//!
//! Read from the text of message definitions. Defaults are left out: bytes do not depend on them.

use std::collections::BTreeMap;
use std::sync::Arc;

use interlock::cdr::{Arity, DUMMY_MEMBER, Field, Kind, MessageType, Primitive};

/// Name and definition, each type after those that it uses.
const DEFINITIONS: [(&str, &str); 35] = [
    ("builtin_interfaces/msg/Time", "int32 sec\nuint32 nanosec"),
    ("builtin_interfaces/msg/Duration", "int32 sec\nuint32 nanosec"),
    ("std_msgs/msg/Header", "Time stamp\nstring frame_id"),
    ("std_msgs/msg/Bool", "bool data"),
    ("std_msgs/msg/MultiArrayDimension", "string label\nuint32 size\nuint32 stride"),
    ("std_msgs/msg/MultiArrayLayout", "MultiArrayDimension[] dim\nuint32 data_offset"),
    ("std_msgs/msg/Float64MultiArray", "MultiArrayLayout layout\nfloat64[] data"),
    ("geometry_msgs/msg/Vector3", "float64 x\nfloat64 y\nfloat64 z"),
    ("geometry_msgs/msg/Point", "float64 x\nfloat64 y\nfloat64 z"),
    ("geometry_msgs/msg/Quaternion", "float64 x\nfloat64 y\nfloat64 z\nfloat64 w"),
    ("geometry_msgs/msg/Pose", "Point position\nQuaternion orientation"),
    ("geometry_msgs/msg/Twist", "Vector3 linear\nVector3 angular"),
    ("geometry_msgs/msg/TwistStamped", "Header header\nTwist twist"),
    ("geometry_msgs/msg/PoseWithCovariance", "Pose pose\nfloat64[36] covariance"),
    ("geometry_msgs/msg/TwistWithCovariance", "Twist twist\nfloat64[36] covariance"),
    (
        "nav_msgs/msg/Odometry",
        "Header header\nstring child_frame_id\nPoseWithCovariance pose\nTwistWithCovariance twist",
    ),
    (
        "sensor_msgs/msg/JointState",
        "Header header\nstring[] name\nfloat64[] position\nfloat64[] velocity\nfloat64[] effort",
    ),
    (
        "sensor_msgs/msg/Imu",
        "Header header\nQuaternion orientation\nfloat64[9] orientation_covariance\n\
         Vector3 angular_velocity\nfloat64[9] angular_velocity_covariance\n\
         Vector3 linear_acceleration\nfloat64[9] linear_acceleration_covariance",
    ),
    (
        "trajectory_msgs/msg/JointTrajectoryPoint",
        "float64[] positions\nfloat64[] velocities\nfloat64[] accelerations\nfloat64[] effort\n\
         Duration time_from_start",
    ),
    (
        "trajectory_msgs/msg/JointTrajectory",
        "Header header\nstring[] joint_names\nJointTrajectoryPoint[] points",
    ),
    ("vendor/msg/MotorCmd", include_str!("../../test/vendor_msgs/msg/MotorCmd.msg")),
    ("vendor/msg/LowCmd", include_str!("../../test/vendor_msgs/msg/LowCmd.msg")),
    ("vendor/msg/MotorState", include_str!("../../test/vendor_msgs/msg/MotorState.msg")),
    ("vendor/msg/ImuState", include_str!("../../test/vendor_msgs/msg/ImuState.msg")),
    ("vendor/msg/LowState", include_str!("../../test/vendor_msgs/msg/LowState.msg")),
    ("layout_msgs/msg/Nothing", include_str!("../../test/layout_msgs/msg/Nothing.msg")),
    ("layout_msgs/msg/Defaults", include_str!("../../test/layout_msgs/msg/Defaults.msg")),
    ("layout_msgs/msg/Numbers", include_str!("../../test/layout_msgs/msg/Numbers.msg")),
    ("layout_msgs/msg/Sequences", include_str!("../../test/layout_msgs/msg/Sequences.msg")),
    ("layout_msgs/msg/Texts", include_str!("../../test/layout_msgs/msg/Texts.msg")),
    ("layout_msgs/msg/Arrays", include_str!("../../test/layout_msgs/msg/Arrays.msg")),
    ("layout_msgs/msg/Bounded", include_str!("../../test/layout_msgs/msg/Bounded.msg")),
    ("layout_msgs/msg/Messages", include_str!("../../test/layout_msgs/msg/Messages.msg")),
    // Wide.idl, in the words of a message definition.
    ("layout_msgs/msg/Wide", "byte before\nwchar wide\nfloat64 after"),
    // What an array of arrays of texts does to a walk.
    ("layout_msgs/msg/Deep", "Messages[<=3] many\nwstring[] wide\nTexts[2] texts\nbool last"),
];

/// Every type, in the order of [`DEFINITIONS`].
#[must_use]
pub fn all() -> Vec<Arc<MessageType>> {
    let mut known: BTreeMap<&str, Arc<MessageType>> = BTreeMap::new();
    let made = DEFINITIONS.iter().map(|(name, text)| {
        let message = Arc::new(message(name, text, &known));
        let short = name.rsplit('/').next().expect("a name");
        known.insert(short, Arc::clone(&message));
        message
    });
    made.collect()
}

/// One type by its full name.
#[must_use]
pub fn named(name: &str) -> Arc<MessageType> {
    all().into_iter().find(|message| message.name == name).expect("a known type")
}

fn message(name: &str, text: &str, known: &BTreeMap<&str, Arc<MessageType>>) -> MessageType {
    let lines = text.lines().map(|line| line.split('#').next().expect("a line").trim());
    let mut fields: Vec<Field> =
        lines.filter(|line| !line.is_empty()).map(|line| field(line, known)).collect();
    if fields.is_empty() {
        let kind = Kind::Primitive(Primitive::U8);
        let name = DUMMY_MEMBER.to_owned();
        fields.push(Field { name, kind, arity: Arity::One, default: None });
    }
    MessageType { name: name.to_owned(), fields }
}

fn field(line: &str, known: &BTreeMap<&str, Arc<MessageType>>) -> Field {
    let mut words = line.split_whitespace();
    let (kind, name) = (words.next().expect("a type"), words.next().expect("a name"));
    let (kind, arity) = match kind.split_once('[') {
        None => (kind, Arity::One),
        Some((kind, "]")) => (kind, Arity::Sequence { bound: None }),
        Some((kind, count)) => {
            let number = |text: &str| text.parse().expect("a number");
            let count = count.trim_end_matches(']');
            match count.strip_prefix("<=") {
                Some(bound) => (kind, Arity::Sequence { bound: Some(number(bound)) }),
                None => (kind, Arity::Array(number(count))),
            }
        }
    };
    let bounded = |text: &str| text.strip_prefix("<=").map(|bound| bound.parse().expect("a bound"));
    let kind = match kind {
        "bool" => Kind::Primitive(Primitive::Bool),
        "byte" => Kind::Primitive(Primitive::Octet),
        "char" => Kind::Primitive(Primitive::Char),
        "wchar" => Kind::Primitive(Primitive::WChar),
        "int8" => Kind::Primitive(Primitive::I8),
        "uint8" => Kind::Primitive(Primitive::U8),
        "int16" => Kind::Primitive(Primitive::I16),
        "uint16" => Kind::Primitive(Primitive::U16),
        "int32" => Kind::Primitive(Primitive::I32),
        "uint32" => Kind::Primitive(Primitive::U32),
        "int64" => Kind::Primitive(Primitive::I64),
        "uint64" => Kind::Primitive(Primitive::U64),
        "float32" => Kind::Primitive(Primitive::F32),
        "float64" => Kind::Primitive(Primitive::F64),
        text if text.starts_with("string") => Kind::String { bound: bounded(&text[6..]) },
        text if text.starts_with("wstring") => Kind::WString { bound: bounded(&text[7..]) },
        other => Kind::Message(Arc::clone(&known[other])),
    };
    Field { name: name.to_owned(), kind, arity, default: None }
}
