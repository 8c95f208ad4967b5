//! What is wrong with a configuration, for a person: key, value, rule, reason, way out.
//!
//! Every reader pushes problems and goes on, so one run shows all of them. The renderer prints
//! them in the order in which they stand in the files, one group for each file.
//!
//! **Invariant:** nothing starts while there is one problem; there are no warnings.

use std::fmt;

/// Where something was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Order of files and arguments on the command line.
    pub rank: usize,
    /// From 1; 0: not in a file.
    pub line: usize,
    /// Name of the file, or the argument itself.
    pub label: String,
}

impl Place {
    /// The place of values that rcl gave.
    #[must_use]
    pub fn rcl() -> Self {
        Self { rank: usize::MAX, line: 0, label: "parameters from rcl".to_owned() }
    }

    /// `FILE:LINE`, or the label alone.
    #[must_use]
    pub fn text(&self) -> String {
        if self.line == 0 { self.label.clone() } else { format!("{}:{}", self.label, self.line) }
    }
}

/// One thing to correct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Dotted key, or `line N` where no key could be read.
    pub key: String,
    /// What was found, ending in "is not allowed", "is missing" or the like.
    pub found: String,
    /// The rule, with numbers.
    pub allowed: String,
    /// Why the rule is there.
    pub because: String,
    /// What to do.
    pub fix: String,
    /// For the order and the heading.
    pub place: Place,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.key, self.found)?;
        writeln!(f, "  allowed: {}", self.allowed)?;
        writeln!(f, "  because: {}", self.because)?;
        writeln!(f, "  to fix:  {}", self.fix)
    }
}

/// All problems of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    list: Vec<Problem>,
}

impl Problems {
    /// Takes one more.
    pub fn push(&mut self, problem: Problem) {
        self.list.push(problem);
    }

    /// Takes all of another list.
    pub fn append(&mut self, mut other: Self) {
        self.list.append(&mut other.list);
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// In the order of the files.
    #[must_use]
    pub fn sorted(&self) -> Vec<&Problem> {
        let mut list: Vec<&Problem> = self.list.iter().collect();
        // Stable: problems of one line stay in the order in which the readers found them.
        list.sort_by(|a, b| a.place.cmp(&b.place));
        list
    }
}

impl From<Vec<Problem>> for Problems {
    fn from(list: Vec<Problem>) -> Self {
        Self { list }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sorted = self.sorted();
        for group in sorted.chunk_by(|a, b| a.place.label == b.place.label) {
            let Some(first) = group.first() else { continue };
            let noun = if group.len() == 1 { "problem" } else { "problems" };
            writeln!(f, "{}: {} {noun}, not started", first.place.label, group.len())?;
            for problem in group {
                write!(f, "{problem}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
