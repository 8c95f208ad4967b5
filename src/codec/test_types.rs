//! The standard types as ROS 2 Jazzy defines them, written by hand for tests without ROS. The tests
//! on real rcl compare them with the installed ones.

use std::sync::Arc;

use crate::cdr::{Arity, Endian, Field, Kind, MessageType, Path, Primitive, Value, encode};

fn field(name: &str, kind: Kind, arity: Arity) -> Field {
    Field { name: name.to_owned(), kind, arity, default: None }
}

fn one(name: &str, kind: Kind) -> Field {
    field(name, kind, Arity::One)
}

fn many(name: &str, kind: Kind) -> Field {
    field(name, kind, Arity::Sequence { bound: None })
}

fn message(name: &str, fields: Vec<Field>) -> Arc<MessageType> {
    Arc::new(MessageType { name: name.to_owned(), fields })
}

const F64: Kind = Kind::Primitive(Primitive::F64);
const TEXT: Kind = Kind::String { bound: None };

fn time(name: &str) -> Arc<MessageType> {
    let sec = one("sec", Kind::Primitive(Primitive::I32));
    let nanosec = one("nanosec", Kind::Primitive(Primitive::U32));
    message(&format!("builtin_interfaces/msg/{name}"), vec![sec, nanosec])
}

fn header() -> Kind {
    let stamp = one("stamp", Kind::Message(time("Time")));
    Kind::Message(message("std_msgs/msg/Header", vec![stamp, one("frame_id", TEXT)]))
}

pub(crate) fn bool_type() -> Arc<MessageType> {
    message("std_msgs/msg/Bool", vec![one("data", Kind::Primitive(Primitive::Bool))])
}

pub(crate) fn twist_type() -> Arc<MessageType> {
    let axes = ["x", "y", "z"].map(|axis| one(axis, F64));
    let vector = Kind::Message(message("geometry_msgs/msg/Vector3", axes.to_vec()));
    let fields = vec![one("linear", vector.clone()), one("angular", vector)];
    message("geometry_msgs/msg/Twist", fields)
}

pub(crate) fn twist_stamped_type() -> Arc<MessageType> {
    let fields = vec![one("header", header()), one("twist", Kind::Message(twist_type()))];
    message("geometry_msgs/msg/TwistStamped", fields)
}

pub(crate) fn multi_array_type() -> Arc<MessageType> {
    let u32_ = Kind::Primitive(Primitive::U32);
    let dimension = message(
        "std_msgs/msg/MultiArrayDimension",
        vec![one("label", TEXT), one("size", u32_.clone()), one("stride", u32_.clone())],
    );
    let layout = message(
        "std_msgs/msg/MultiArrayLayout",
        vec![many("dim", Kind::Message(dimension)), one("data_offset", u32_)],
    );
    let fields = vec![one("layout", Kind::Message(layout)), many("data", F64)];
    message("std_msgs/msg/Float64MultiArray", fields)
}

pub(crate) fn joint_state_type() -> Arc<MessageType> {
    let quantities = ["position", "velocity", "effort"].map(|name| many(name, F64));
    let mut fields = vec![one("header", header()), many("name", TEXT)];
    fields.extend(quantities);
    message("sensor_msgs/msg/JointState", fields)
}

pub(crate) fn joint_trajectory_type() -> Arc<MessageType> {
    let mut fields: Vec<Field> =
        ["positions", "velocities", "accelerations", "effort"].map(|name| many(name, F64)).to_vec();
    fields.push(one("time_from_start", Kind::Message(time("Duration"))));
    let point = message("trajectory_msgs/msg/JointTrajectoryPoint", fields);
    let fields = vec![
        one("header", header()),
        many("joint_names", TEXT),
        many("points", Kind::Message(point)),
    ];
    message("trajectory_msgs/msg/JointTrajectory", fields)
}

fn fixed(name: &str, kind: Kind, count: usize) -> Field {
    field(name, kind, Arity::Array(count))
}

const F32: Kind = Kind::Primitive(Primitive::F32);
const U8: Kind = Kind::Primitive(Primitive::U8);
const U32: Kind = Kind::Primitive(Primitive::U32);

/// `test/vendor_msgs/msg/LowCmd.msg`.
pub(crate) fn low_cmd_type() -> Arc<MessageType> {
    let mut fields = vec![one("mode", U8)];
    fields.extend(["q", "dq", "tau", "kp", "kd"].map(|name| one(name, F32)));
    fields.push(one("reserve", U32));
    let motor = message("interlock_test_vendor_msgs/msg/MotorCmd", fields);
    let fields = vec![
        one("mode_pr", U8),
        one("mode_machine", U8),
        fixed("motor_cmd", Kind::Message(motor), 35),
        fixed("reserve", U32, 4),
        one("crc", U32),
    ];
    message("interlock_test_vendor_msgs/msg/LowCmd", fields)
}

/// `test/vendor_msgs/msg/LowState.msg`.
pub(crate) fn low_state_type() -> Arc<MessageType> {
    let mut fields = vec![one("mode", U8)];
    fields.extend(["q", "dq", "ddq", "tau_est"].map(|name| one(name, F32)));
    fields.push(fixed("temperature", Kind::Primitive(Primitive::I16), 2));
    fields.push(one("vol", F32));
    fields.push(one("reserve", U32));
    let motor = message("interlock_test_vendor_msgs/msg/MotorState", fields);
    let mut imu = vec![fixed("quaternion", F32, 4)];
    imu.extend(["gyroscope", "accelerometer", "rpy"].map(|name| fixed(name, F32, 3)));
    imu.push(one("temperature", Kind::Primitive(Primitive::I16)));
    let fields = vec![
        one("mode_pr", U8),
        one("mode_machine", U8),
        one("tick", U32),
        one("imu_state", Kind::Message(message("interlock_test_vendor_msgs/msg/ImuState", imu))),
        fixed("motor_state", Kind::Message(motor), 35),
        fixed("wireless_remote", U8, 40),
        fixed("reserve", U32, 4),
        one("crc", U32),
    ];
    message("interlock_test_vendor_msgs/msg/LowState", fields)
}

pub(crate) fn imu_type() -> Arc<MessageType> {
    let vector = |name: &str, axes: &[&str]| {
        Kind::Message(message(name, axes.iter().map(|axis| one(axis, F64)).collect()))
    };
    let three = vector("geometry_msgs/msg/Vector3", &["x", "y", "z"]);
    let four = vector("geometry_msgs/msg/Quaternion", &["x", "y", "z", "w"]);
    let fields = vec![
        one("header", header()),
        one("orientation", four),
        fixed("orientation_covariance", F64, 9),
        one("angular_velocity", three.clone()),
        fixed("angular_velocity_covariance", F64, 9),
        one("linear_acceleration", three),
        fixed("linear_acceleration_covariance", F64, 9),
    ];
    message("sensor_msgs/msg/Imu", fields)
}

/// A type made up of these fields, each with the words of a message definition.
pub(crate) fn type_of(fields: &[(&str, &str)]) -> Arc<MessageType> {
    let fields = fields.iter().map(|(name, kind)| {
        let (kind, arity) = match kind.split_once('[') {
            None => (*kind, Arity::One),
            Some((kind, "]")) => (kind, Arity::Sequence { bound: None }),
            Some((kind, count)) => {
                (kind, Arity::Array(count.trim_end_matches(']').parse().unwrap()))
            }
        };
        let kind = match kind {
            "uint8" => U8,
            "uint32" => U32,
            "int32" => Kind::Primitive(Primitive::I32),
            "bool" => Kind::Primitive(Primitive::Bool),
            "float32" => F32,
            "float64" => F64,
            "string" => TEXT,
            "header" => header(),
            "motor" => Kind::Message(message(
                "t/msg/Motor",
                vec![one("name", TEXT), one("q", F64), one("dq", F64), one("note", U8)],
            )),
            other => panic!("{other}"),
        };
        field(name, kind, arity)
    });
    message("t/msg/Command", fields.collect())
}

/// Encodes a message with the given fields set.
pub(crate) fn bytes(message: &MessageType, fields: &[(&str, Value)]) -> Vec<u8> {
    let mut value = Value::default_of(message);
    for (path, field) in fields {
        value.set(message, &Path::parse(path).unwrap(), field).unwrap();
    }
    encode(message, &value, Endian::Little).unwrap()
}

pub(crate) fn numbers(values: &[f64]) -> Value {
    Value::List(values.iter().map(|value| Value::F64(*value)).collect())
}

pub(crate) fn texts(values: &[&str]) -> Value {
    Value::List(values.iter().map(|value| Value::from(*value)).collect())
}

pub(crate) fn joint_state_bytes(
    names: &[&str],
    position: &[f64],
    velocity: &[f64],
    effort: &[f64],
) -> Vec<u8> {
    let fields = [
        ("header.frame_id", Value::from("base")),
        ("name", texts(names)),
        ("position", numbers(position)),
        ("velocity", numbers(velocity)),
        ("effort", numbers(effort)),
    ];
    bytes(&joint_state_type(), &fields)
}
