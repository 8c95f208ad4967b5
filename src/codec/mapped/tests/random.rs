//! Random frames: what is read and written back unchanged is the same to the last bit; what is broken
//! never panics.

use proptest::prelude::*;

use super::vendor::{frame, lane};
use super::*;

proptest! {
    #[test]
    fn what_is_decoded_and_encoded_unchanged_is_the_same_to_the_last_bit(
        q in prop::collection::vec(-1.0e3_f32..1.0e3, 29),
        kp in prop::collection::vec(0.0_f32..500.0, 29),
        machine in any::<u8>(),
        reserve in any::<u32>(),
    ) {
        let mut changes: Vec<(String, Value)> = Vec::new();
        for (joint, (q, kp)) in q.iter().zip(&kp).enumerate() {
            changes.push((format!("motor_cmd[{joint}].q"), Value::F32(*q)));
            changes.push((format!("motor_cmd[{joint}].kp"), Value::F32(*kp)));
        }
        changes.push(("mode_machine".to_owned(), Value::Unsigned(machine.into())));
        changes.push(("reserve[2]".to_owned(), Value::Unsigned(reserve.into())));
        let changes: Vec<(&str, Value)> =
            changes.iter().map(|(at, value)| (at.as_str(), value.clone())).collect();
        let mut bytes = frame(&changes);
        let message = low_cmd_type();
        let mut checksum =
            crate::cdr::StructChecksum::unitree_crc32(&message, &path("crc")).unwrap();
        checksum.write(&mut bytes, crate::cdr::Endian::Little).unwrap();
        let mut robot = built(&lane(), &message).unwrap();
        prop_assert_eq!(robot.decode(&bytes), Ok(()));
        let mut written = bytes.clone();
        prop_assert!(robot.codec.encode(&mut written, &robot.command));
        prop_assert_eq!(written, bytes);
    }

    #[test]
    fn hazard_31_malformed_bytes_of_a_mapped_type(
        changes in prop::collection::vec((0_usize..1004, any::<u8>()), 0..6),
        length in 0_usize..1020,
        with_checksum in any::<bool>(),
    ) {
        let mut bytes = frame(&[]);
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        bytes.resize(length, 0xAB);
        let mut lane = lane();
        let message = if with_checksum {
            low_cmd_type()
        } else {
            // The same without a checksum, so that the rest is reached.
            lane.checksum = None;
            let mut message = (*low_cmd_type()).clone();
            message.fields.truncate(4);
            Arc::new(message)
        };
        let mut robot = built(&lane, &message).unwrap();
        if robot.decode(&bytes).is_ok() {
            robot.command.position.fill(0.0);
            prop_assert!(robot.codec.encode(&mut bytes, &robot.command));
            robot.safe.remember(&bytes, true);
            let out = robot.safe.render(SafeCommand::Damping, &[], &[], WallTime::default());
            prop_assert!(out.is_some());
        }
    }

    #[test]
    fn hazard_31_malformed_bytes_of_arrays_of_any_length(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        big in any::<bool>(),
    ) {
        let message = type_of(&[("motors", "motor[]"), ("extra", "float64[]")]);
        let fields = FieldMap { names: some("motors[].name"), ..position("motors[].q") };
        let mut lane = mapped(&["a", "b"], fields);
        lane.keep = ["motors[].dq", "motors[].note", "extra[0..2]"].map(path).to_vec();
        let mut arm = built(&lane, &message).unwrap();
        let mut framed = vec![0, u8::from(!big), 0, 0];
        framed.extend(bytes);
        if arm.decode(&framed).is_ok() {
            prop_assert!(arm.codec.encode(&mut framed, &arm.command));
        }
    }
}
