//! `/`: the status as one small page for people.
//!
//! No script, no picture, nothing from elsewhere: one HTML text with its style inside, which works in
//! a text browser. It asks for itself anew every two seconds; where no answer comes, the style shows
//! that what stands there is old. Colour repeats what the words say and never says anything alone.
//!
//! **Invariant:** every text is escaped; nothing on the page can change anything.

mod html;
mod sections;
mod table;

use serde_json::Value;

use self::html::Html;
use crate::telemetry::status::Status;

/// In the page, and nowhere else.
const STYLE: &str = include_str!("style.css");

/// What the browser may do: show this text with this style. The digest is that of [`STYLE`]; a test
/// compares them.
pub(super) const POLICY: &str = "default-src 'none'; \
    style-src 'sha256-Yy5vKwvktjhUL6c8OBDeO8XRp42FNd6SKNdOdrJphnQ='; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A page is smaller than this, whatever there is to show: rows are left out before.
const LARGEST: usize = 30_000;
/// Rows of each table, the first number that makes the page small enough.
const ROWS: [usize; 6] = [64, 40, 24, 12, 6, 3];

/// The page. `stalled`: why the gate thread does not get on, which makes everything else old.
pub(super) fn page(status: &Status, stalled: Option<&str>) -> String {
    // What cannot be made a value (no such status is known) has no lists of its own.
    let lists = serde_json::to_value(status).unwrap_or(Value::Null);
    let mut text = String::new();
    for rows in ROWS {
        text = with_rows(status, &lists, stalled, rows);
        if text.len() < LARGEST {
            break;
        }
    }
    text
}

fn with_rows(status: &Status, lists: &Value, stalled: Option<&str>, rows: usize) -> String {
    let mut html = Html::default();
    html.raw("<!doctype html>\n<html lang=en><head><meta charset=utf-8>\n");
    html.raw("<meta name=viewport content=\"width=device-width,initial-scale=1\">\n");
    html.raw("<meta http-equiv=refresh content=2>\n<title>");
    html.text(sections::word(status, stalled)).text(" · Interlock ").text(&status.hardware_id);
    html.raw("</title>\n<style>").raw(STYLE).raw("</style></head>\n<body>\n");
    sections::head(status, stalled, &mut html);
    html.raw("<main>\n");
    for table in sections::tables(status, lists) {
        table.write(&mut html, rows);
    }
    html.raw("</main>\n");
    sections::foot(status, &mut html);
    html.raw("</body></html>\n");
    html.finish()
}

#[cfg(test)]
mod tests;
