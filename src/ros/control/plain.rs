//! Texts on their way to r2r. It makes a C string of each and panics over a NUL inside, which would
//! end this process: so every message and every answer goes through here, whoever its texts are from.
//!
//! **Invariant:** each field is named, so that the compiler asks about one that is new.

use r2r::diagnostic_msgs::msg::{DiagnosticArray, DiagnosticStatus, KeyValue};
use r2r::interlock::{msg, srv};
use r2r::rcl_interfaces::msg::Log;
use r2r::std_msgs::msg::Header;
use r2r::std_srvs::srv::Trigger;
use r2r::{Publisher, WrappedTypesupport};

/// What has texts that r2r makes C strings of.
pub(super) trait Plain {
    /// Replaces every NUL.
    fn make_plain(&mut self);
}

/// The same without a NUL in any text.
pub(super) fn plain<T: Plain>(mut whole: T) -> T {
    whole.make_plain();
    whole
}

/// Publishes a message as r2r can take it.
pub(super) fn publish<T: Plain + WrappedTypesupport + 'static>(
    publisher: &Publisher<T>,
    message: T,
) -> Result<(), r2r::Error> {
    publisher.publish(&plain(message))
}

impl Plain for String {
    fn make_plain(&mut self) {
        if self.contains('\0') {
            *self = self.replace('\0', "\u{FFFD}");
        }
    }
}

impl<T: Plain> Plain for Vec<T> {
    fn make_plain(&mut self) {
        self.iter_mut().for_each(Plain::make_plain);
    }
}

/// Several texts of one message.
fn texts<const N: usize>(all: [&mut String; N]) {
    all.into_iter().for_each(Plain::make_plain);
}

impl Plain for Log {
    fn make_plain(&mut self) {
        let Self { stamp: _, level: _, name, msg, file, function, line: _ } = self;
        texts([name, msg, file, function]);
    }
}

impl Plain for KeyValue {
    fn make_plain(&mut self) {
        let Self { key, value } = self;
        texts([key, value]);
    }
}

impl Plain for DiagnosticStatus {
    fn make_plain(&mut self) {
        let Self { level: _, name, message, hardware_id, values } = self;
        texts([name, message, hardware_id]);
        values.make_plain();
    }
}

impl Plain for DiagnosticArray {
    fn make_plain(&mut self) {
        let Self { header: Header { stamp: _, frame_id }, status } = self;
        frame_id.make_plain();
        status.make_plain();
    }
}

impl Plain for msg::Trip {
    fn make_plain(&mut self) {
        let Self { seq: _, stamp: _, cause, subject, detail, operator_name } = self;
        texts([cause, subject, detail, operator_name]);
    }
}

impl Plain for msg::Condition {
    fn make_plain(&mut self) {
        let Self { code, subject, text } = self;
        texts([code, subject, text]);
    }
}

impl Plain for msg::SourceState {
    fn make_plain(&mut self) {
        let Self {
            name,
            mode,
            revision,
            priority: _,
            alive: _,
            silent_for_s: _,
            passed: _,
            limited: _,
            rejected: _,
            withheld: _,
            not_selected: _,
            last_reason,
        } = self;
        texts([name, mode, revision, last_reason]);
    }
}

impl Plain for msg::LaneState {
    fn make_plain(&mut self) {
        let Self {
            name,
            mode,
            state: _,
            label,
            owner,
            selected,
            safe_command,
            subscribers: _,
            foreign_publishers: _,
            sources,
        } = self;
        texts([name, mode, label, owner, selected, safe_command]);
        sources.make_plain();
    }
}

impl Plain for msg::KillInputState {
    fn make_plain(&mut self) {
        let Self {
            name,
            asserted: _,
            lost: _,
            seen: _,
            incompatible: _,
            last_seen: _,
            asserted_by,
        } = self;
        texts([name, asserted_by]);
    }
}

impl Plain for msg::State {
    fn make_plain(&mut self) {
        let Self {
            stamp: _,
            state: _,
            label,
            since: _,
            permitted: _,
            seq: _,
            first_trip,
            last_trip,
            unmet,
            profile,
            derating: _,
            lanes,
            kill_inputs,
            ignored_causes,
            hardware_id,
            version,
            config_sha256,
            extra,
        } = self;
        texts([label, profile, hardware_id, version, config_sha256]);
        first_trip.make_plain();
        last_trip.make_plain();
        unmet.make_plain();
        lanes.make_plain();
        kill_inputs.make_plain();
        ignored_causes.make_plain();
        extra.make_plain();
    }
}

impl Plain for msg::Change {
    fn make_plain(&mut self) {
        let Self { name, quantity, limit, point: _, requested: _, sent: _, bound: _ } = self;
        texts([name, quantity, limit]);
    }
}

impl Plain for msg::Decision {
    fn make_plain(&mut self) {
        let Self {
            stamp: _,
            command_stamp: _,
            sequence_number: _,
            seq: _,
            lane,
            source,
            revision,
            shadow: _,
            verdict: _,
            reason,
            text,
            age_s: _,
            transport_s: _,
            residence_s: _,
            name,
            requested: _,
            sent: _,
            changes,
            passed: _,
            limited: _,
            rejected: _,
            withheld: _,
            not_selected: _,
            extra,
        } = self;
        texts([lane, source, revision, reason, text]);
        name.make_plain();
        changes.make_plain();
        extra.make_plain();
    }
}

impl Plain for srv::Reset::Response {
    fn make_plain(&mut self) {
        let Self { success: _, message, seq: _, unmet } = self;
        message.make_plain();
        unmet.make_plain();
    }
}

impl Plain for srv::Arm::Response {
    fn make_plain(&mut self) {
        let Self { success: _, message, seq: _, unmet } = self;
        message.make_plain();
        unmet.make_plain();
    }
}

impl Plain for srv::SelectSource::Response {
    fn make_plain(&mut self) {
        let Self { success: _, message, owner, unmet } = self;
        texts([message, owner]);
        unmet.make_plain();
    }
}

impl Plain for Trigger::Response {
    fn make_plain(&mut self) {
        let Self { success: _, message } = self;
        message.make_plain();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BAD: &str = "a\0b\nc";
    const GOOD: &str = "a\u{FFFD}b\nc";

    fn bad() -> String {
        BAD.to_owned()
    }

    /// As r2r sends it: it panics over a NUL.
    fn sent<T: Plain + WrappedTypesupport>(message: T) -> T {
        let bytes = plain(message).to_serialized_bytes().expect("bytes");
        T::from_serialized_bytes(&bytes).expect("the same message")
    }

    #[test]
    fn when_a_log_line_has_a_nul_expect_it_replaced_and_the_rest_kept() {
        let line = Log { name: bad(), msg: bad(), file: bad(), function: bad(), ..Log::default() };
        let sent = sent(line);
        for text in [sent.name, sent.msg, sent.file, sent.function] {
            assert_eq!(text, GOOD);
        }
    }

    #[test]
    fn when_any_text_of_a_state_has_a_nul_expect_the_message_sent() {
        let pair = || KeyValue { key: bad(), value: bad() };
        let trip = || msg::Trip {
            cause: bad(),
            subject: bad(),
            detail: bad(),
            operator_name: bad(),
            ..Default::default()
        };
        let source = msg::SourceState {
            name: bad(),
            mode: bad(),
            revision: bad(),
            last_reason: bad(),
            ..Default::default()
        };
        let lane = msg::LaneState {
            name: bad(),
            mode: bad(),
            label: bad(),
            owner: bad(),
            selected: bad(),
            safe_command: bad(),
            sources: vec![source],
            ..Default::default()
        };
        let input = msg::KillInputState { name: bad(), asserted_by: bad(), ..Default::default() };
        let sent = sent(msg::State {
            label: bad(),
            first_trip: trip(),
            last_trip: trip(),
            unmet: vec![msg::Condition { code: bad(), subject: bad(), text: bad() }],
            profile: bad(),
            lanes: vec![lane],
            kill_inputs: vec![input],
            ignored_causes: vec![bad()],
            hardware_id: bad(),
            version: bad(),
            config_sha256: bad(),
            extra: vec![pair()],
            ..Default::default()
        });
        assert_eq!(sent.first_trip.operator_name, GOOD);
        assert_eq!(sent.kill_inputs[0].asserted_by, GOOD);
        assert_eq!(sent.extra[0].value, GOOD);
    }

    #[test]
    fn when_diagnostics_and_decisions_have_a_nul_expect_them_sent() {
        let pair = || KeyValue { key: bad(), value: bad() };
        let status = DiagnosticStatus {
            name: bad(),
            message: bad(),
            hardware_id: bad(),
            values: vec![pair()],
            ..Default::default()
        };
        let mut array = DiagnosticArray { status: vec![status], ..Default::default() };
        array.header.frame_id = bad();
        assert_eq!(sent(array).status[0].values[0].key, GOOD);
        let change =
            msg::Change { name: bad(), quantity: bad(), limit: bad(), ..Default::default() };
        let decision = msg::Decision {
            lane: bad(),
            source: bad(),
            revision: bad(),
            reason: bad(),
            text: bad(),
            name: vec![bad()],
            changes: vec![change],
            extra: vec![pair()],
            ..Default::default()
        };
        assert_eq!(sent(decision).changes[0].limit, GOOD);
    }

    #[test]
    fn when_an_answer_has_a_nul_expect_it_sent() {
        let unmet = || vec![msg::Condition { code: bad(), subject: bad(), text: bad() }];
        let message = bad;
        let reset =
            srv::Reset::Response { message: message(), unmet: unmet(), ..Default::default() };
        assert_eq!(sent(reset).unmet[0].text, GOOD);
        let arm = srv::Arm::Response { message: message(), unmet: unmet(), ..Default::default() };
        assert_eq!(sent(arm).message, GOOD);
        let select = srv::SelectSource::Response {
            message: message(),
            owner: bad(),
            unmet: unmet(),
            ..Default::default()
        };
        assert_eq!(sent(select).owner, GOOD);
        let trigger = Trigger::Response { message: message(), ..Default::default() };
        assert_eq!(sent(trigger).message, GOOD);
    }
}
