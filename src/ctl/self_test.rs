//! The self test: part by part, and whether all of it passed.

use serde_json::json;

use super::arguments::Because;
use super::client::Client;
use super::{Console, GOOD, REFUSED, text, verbs};

/// Asks for a self test. The parts are what was asked for; what is wrong is also said as an error.
pub(super) fn self_test(
    client: &Client,
    json: bool,
    because: &Because,
    console: &mut Console<'_>,
) -> u8 {
    let (answer, raw) = match client.ask_raw("self_test", verbs::fields(because, json!({}))) {
        Ok(answered) => answered,
        Err(error) => return console.unreachable(&error),
    };
    if json {
        console.say(&format!("{}\n", raw.trim_end()));
        return if answer.ok { GOOD } else { REFUSED };
    }
    if answer.self_test.is_empty() {
        return verbs::tell(&answer, console);
    }
    console.say(&text::self_test(&answer.self_test));
    // The list stands above: only how it ends is left to say.
    let end = answer.message.split(". ").next().unwrap_or_default();
    let end = format!("{}\n", text::plain(end));
    if answer.ok {
        console.say(&end);
        GOOD
    } else {
        console.complain(&end);
        REFUSED
    }
}
