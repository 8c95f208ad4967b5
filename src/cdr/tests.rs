//! Tests over random types and values, and over messages written by hand.

mod by_hand;
mod generate;
mod layout_hits;
mod layout_rules;
mod malformed;
mod random;
mod values;
