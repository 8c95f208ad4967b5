//! The processes that the benchmarks put around the node: bare relays and a bare service to compare it
//! with, clients that time it, and load.
//!
//! `peers ROLE ARGS…`; the Python programs beside this folder start them. A peer says what happened on
//! standard output, a line of JSON each, is told what to do on standard input, and ends when that is
//! closed.
//!
//! An example and not a `[[bench]]`: Cargo builds benchmarks with unwinding panics, and so would build
//! the ROS bindings a second time.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measuring program ends on the first thing that is not as it must be"
)]

mod bare;
mod kill;
mod load;
mod message;
mod orders;
mod relay;
mod ros;
mod round_trip;

use message::Kind;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["relay-rcl", kind, name, from, to] => relay::on_rcl(Kind::of(kind), name, from, to),
        ["relay-r2r", kind, name, from, to] => relay::on_r2r(Kind::of(kind), name, from, to),
        ["service", name] => relay::service(name),
        ["round-trip", plan] => round_trip::run(plan),
        ["kill", service, bare, output] => kill::run(service, bare, output),
        ["stream", rate_hz, topic] => load::stream(number(rate_hz), topic),
        ["publish-many", count, rate_hz] => load::publish_many(number(count), number(rate_hz)),
        ["take-and-drop", count] => load::take_and_drop(number(count)),
        _ => panic!("peers: {args:?} is no role with its arguments"),
    }
}

fn number<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error:?}"))
}
