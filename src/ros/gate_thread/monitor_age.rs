//! Whether thread `monitor` still looks at heat and charge: what it last found would stand for ever.
//!
//! What nobody measures any more is neither cool nor charged: where it could derate or trip, velocity is
//! derated to the least there is, until somebody looks again, and there is no arm. That never makes a
//! stop slower.

use super::GateThread;
use super::looks::LookNews;
use crate::gate::units::Moment;
use crate::telemetry::events::{Event, What};

impl GateThread {
    /// Once a tick, before what the thread found is read.
    pub(super) fn watch_monitor(&mut self, now: Moment) {
        // The thread ends before the stop of a shutdown does.
        if self.ends_at.is_some() {
            return;
        }
        let looks = self.sensors.looks().map(|looks| u8::try_from(looks & 0xff).unwrap_or(0));
        let stopped = match self.watched.monitor.look([looks], now.steady) {
            LookNews::None => return,
            LookNews::Another => {
                self.slots.node.monitor_running.set(true);
                // The first: until then nothing was known.
                self.gate.sensors_unread(false);
                return;
            }
            LookNews::Stopped => true,
            LookNews::Again => false,
        };
        self.slots.node.monitor_running.set(!stopped);
        self.events.post(Event { at: now, what: What::Monitor { stopped } });
        self.gate.sensors_unread(stopped && self.watched.sensors.guards());
        if !stopped {
            self.watched.sensors.forget();
        } else {
            if self.watched.sensors.guards() {
                self.gate.set_derating(f64::NAN, now);
            }
            self.forget_measured();
        }
    }

    /// The thread itself sets them anew when it goes on.
    fn forget_measured(&self) {
        for input in &self.slots.temperatures {
            for component in &input.components {
                component.celsius.set(f64::NAN);
            }
        }
        for battery in &self.slots.batteries {
            battery.charge.set(f64::NAN);
            battery.voltage.set(f64::NAN);
            battery.current.set(f64::NAN);
        }
    }
}
