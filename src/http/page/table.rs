//! Tables: some with columns of their own, and one for any list of the status.

use serde_json::{Map, Value, json};

use super::html::{Class, Html};
use crate::telemetry::people::span;

/// Longer texts may be broken into lines.
const SHORT: usize = 26;

/// One place of a table.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    pub(super) class: Class,
    pub(super) text: String,
}

impl Cell {
    pub(super) fn new(class: Class, text: impl Into<String>) -> Self {
        Self { class, text: text.into() }
    }

    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self::new(Class::Plain, text)
    }
}

/// A table in the making.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) title: &'static str,
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Vec<Cell>>,
}

impl Table {
    pub(super) fn new(title: &'static str, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|column| (*column).to_owned()).collect();
        Self { title, columns, rows: Vec::new() }
    }

    /// The table with at most so many rows, and how many more there are; nothing where it is empty.
    pub(super) fn write(&self, html: &mut Html, most: usize) {
        if self.rows.is_empty() {
            return;
        }
        html.raw("<section><h2>").text(self.title).raw("</h2><div class=scroll><table><tr>");
        for column in &self.columns {
            html.raw("<th>").text(column);
        }
        html.raw("\n");
        for row in self.rows.iter().take(most) {
            html.raw("<tr>");
            for cell in row {
                let is_long = cell.text.chars().count() > SHORT;
                html.raw(if is_long { "<td class=long>" } else { "<td>" });
                match cell.class {
                    Class::Plain => html.text(&cell.text),
                    Class::Ok | Class::Warn | Class::Bad | Class::Dim => {
                        html.mark(cell.class, &cell.text)
                    }
                };
            }
            html.raw("\n");
        }
        html.raw("</table></div>");
        let more = self.rows.len().saturating_sub(most);
        if more > 0 {
            html.raw("<p class=dim>").text(&format!("{more} more: see ")).raw("/status</p>");
        }
        html.raw("</section>\n");
    }
}

/// What names a row, in this order, before everything else.
const FIRST: [&str; 8] = [
    "name",
    "input",
    "component",
    "level",
    "celsius",
    "charge_ratio",
    "voltage_volts",
    "current_amperes",
];
/// What is a sentence, after everything else.
const LAST: [&str; 2] = ["text", "note"];

/// A table of any list of objects, so that what a later version lists is shown without a line here:
/// columns are the objects' keys, units come from the keys' ends. The worst come first.
pub(super) fn any(title: &'static str, list: &Value) -> Table {
    let mut objects: Vec<&Map<String, Value>> =
        list.as_array().into_iter().flatten().filter_map(Value::as_object).collect();
    // Stable: a row stays where it is while nothing changes.
    objects.sort_by_key(|object| match object.get("level").and_then(Value::as_str) {
        Some("trip" | "error") => 0,
        Some("derate") => 1,
        Some("warn") => 2,
        Some("ok") | None => 4,
        Some(_) => 3,
    });
    let mut keys: Vec<&str> = Vec::new();
    for (key, value) in objects.iter().flat_map(|object| object.iter()) {
        let is_shown = !value.is_null() && *value != json!("") && *value != json!([]);
        if is_shown && !keys.contains(&key.as_str()) {
            keys.push(key);
        }
    }
    keys.sort_by_key(|key| (rank(key), *key));
    let columns: Vec<String> = keys.iter().map(|key| split(key).0.replace('_', " ")).collect();
    let rows = objects.iter().map(|object| {
        keys.iter().map(|key| cell(key, object.get(*key).unwrap_or(&Value::Null))).collect()
    });
    let rows = rows.collect();
    Table { title, columns, rows }
}

fn rank(key: &str) -> usize {
    let first = FIRST.iter().position(|first| *first == key);
    let last = LAST.iter().position(|last| *last == key).map(|at| FIRST.len() + 1 + at);
    first.or(last).unwrap_or(FIRST.len())
}

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    None,
    /// Seconds, as people say them.
    Span,
    /// 0 to 1, as a percentage.
    Ratio,
    /// With this behind it.
    Behind(&'static str),
}

/// A key without its unit, and the unit.
fn split(key: &str) -> (&str, Unit) {
    let ends = [
        ("_unix_s", Unit::None),
        ("_s", Unit::Span),
        ("_ratio", Unit::Ratio),
        ("_celsius", Unit::Behind(" °C")),
        ("_c", Unit::Behind(" °C")),
        ("_volts", Unit::Behind(" V")),
        ("_v", Unit::Behind(" V")),
        ("_amperes", Unit::Behind(" A")),
        ("_a", Unit::Behind(" A")),
        ("_joules", Unit::Behind(" J")),
        ("_j", Unit::Behind(" J")),
        ("_hz", Unit::Behind(" Hz")),
    ];
    if key == "celsius" {
        return (key, Unit::Behind(" °C"));
    }
    let found = ends.into_iter().find_map(|(end, unit)| Some((key.strip_suffix(end)?, unit)));
    found.filter(|(name, _)| !name.is_empty()).unwrap_or((key, Unit::None))
}

fn cell(key: &str, value: &Value) -> Cell {
    let unit = split(key).1;
    match value {
        Value::Null => Cell::new(Class::Dim, "–"),
        Value::Bool(yes) => Cell::plain(if *yes { "yes" } else { "no" }),
        Value::String(text) if key == "level" => Cell::new(class(text), text.as_str()),
        Value::String(text) => Cell::plain(text.as_str()),
        Value::Number(number) => Cell::plain(match (number.as_f64(), unit) {
            (Some(number), Unit::Span) => span(number),
            (Some(number), Unit::Ratio) => format!("{:.0} %", 100.0 * number),
            (Some(number), Unit::Behind(unit)) => format!("{number:.1}{unit}"),
            (Some(fraction), Unit::None) if number.is_f64() => format!("{fraction:.3}"),
            (_, Unit::None) | (None, _) => number.to_string(),
        }),
        Value::Array(values) => Cell::plain(
            values.iter().map(|value| cell(key, value).text).collect::<Vec<_>>().join(", "),
        ),
        Value::Object(_) => Cell::plain(value.to_string()),
    }
}

/// How a word for a level looks.
pub(super) fn class(level: &str) -> Class {
    match level {
        "ok" => Class::Ok,
        "warn" | "derate" => Class::Warn,
        "error" | "trip" => Class::Bad,
        _ => Class::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_any_list_is_shown_expect_its_names_first_units_and_sentences_last() {
        let list = json!([
            {"text": "warm", "celsius": 61.25, "name": "left_knee", "level": "warn",
             "limits_celsius": [70.0, 80.0], "silent_for_s": 0.2, "charge_ratio": 0.515,
             "nothing": null, "note": "", "violations": [], "count": 3, "asserted": true, "x": 0.25},
            {"name": "right_knee", "celsius": null, "level": "trip"},
        ]);
        let table = any("Temperatures", &list);
        let columns = "name level celsius charge asserted count limits silent_for x text";
        let columns: Vec<String> = columns.split(' ').map(|one| one.replace('_', " ")).collect();
        assert_eq!(table.columns, columns);
        let row = |at: usize| -> Vec<&str> {
            table.rows[at].iter().map(|cell| cell.text.as_str()).collect()
        };
        assert_eq!(
            row(1),
            [
                "left_knee",
                "warn",
                "61.2 °C",
                "52 %",
                "yes",
                "3",
                "70.0 °C, 80.0 °C",
                "0.2 s",
                "0.250",
                "warm"
            ]
        );
        assert_eq!(row(0)[..3], ["right_knee", "trip", "–"], "the worst first");
        assert_eq!(table.rows[1][1].class, Class::Warn);
    }

    #[test]
    fn when_there_is_no_such_list_expect_nothing() {
        for list in [Value::Null, json!([]), json!({"a": 1}), json!([1, "x"])] {
            let mut html = Html::default();
            any("Batteries", &list).write(&mut html, 9);
            assert_eq!(html.finish(), "", "{list}");
        }
    }

    #[test]
    fn when_there_are_more_rows_than_room_expect_the_rest_counted() {
        let mut table = Table::new("Topics", &["topic"]);
        table.rows = (0..7).map(|i| vec![Cell::plain(format!("/t{i}"))]).collect();
        let mut html = Html::default();
        table.write(&mut html, 5);
        let text = html.finish();
        assert!(text.contains("/t4") && !text.contains("/t5") && text.contains("2 more"), "{text}");
    }
}
