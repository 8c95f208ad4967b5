//! What the files say against what rcl gave the node: they must be the same, or nothing starts.
//!
//! The node reads its own arguments before rcl does. If rcl then holds anything else (another
//! version of its parser, a file changed in between, a parameter from elsewhere), a person could
//! not tell from the file what runs.

use super::problem::{Problem, Problems};
use super::value::{Entry, FlatMap};

/// Every key that is missing on one side or has another value; empty: start.
#[must_use]
pub fn differences(files: &FlatMap, rcl: &FlatMap) -> Problems {
    let mut problems = Problems::default();
    for (key, entry) in files.iter() {
        match rcl.get(key) {
            Some(given) if given.value.same(&entry.value) => {}
            Some(given) => {
                let found = format!("the file says {}, rcl says {}", entry.value, given.value);
                problems.push(problem(key, found, entry));
            }
            None => {
                let found = format!("the file says {}, rcl has no such key", entry.value);
                problems.push(problem(key, found, entry));
            }
        }
    }
    for (key, given) in rcl.iter() {
        if files.get(key).is_none() {
            let found = format!("rcl says {}, no file or argument does", given.value);
            problems.push(problem(key, found, given));
        }
    }
    problems
}

fn problem(key: &str, found: String, entry: &Entry) -> Problem {
    Problem {
        key: key.to_owned(),
        found,
        allowed: "the same value from the files and from rcl".to_owned(),
        because: "what runs must be what a person can read".to_owned(),
        fix: "start again; if it stays, write the value in another way and report it".to_owned(),
        place: entry.place.clone(),
    }
}
