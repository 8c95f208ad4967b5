//! What a getter answers, and which numbers it allows.

/// The answer of a getter.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Read<T> {
    /// The key is not there.
    Absent,
    /// It is there and wrong; a problem was pushed.
    Bad,
    /// Its value.
    Got(T),
}

impl<T> Read<T> {
    /// The value or a default; `None` after a problem.
    pub(super) fn or(self, default: T) -> Option<T> {
        match self {
            Self::Absent => Some(default),
            Self::Bad => None,
            Self::Got(value) => Some(value),
        }
    }

    /// `Some(None)` where absent; `None` after a problem.
    pub(super) fn optional(self) -> Option<Option<T>> {
        match self {
            Self::Absent => Some(None),
            Self::Bad => None,
            Self::Got(value) => Some(Some(value)),
        }
    }

    /// The value with a change; a problem of the change's own makes it bad.
    pub(super) fn and_then<U>(self, change: impl FnOnce(T) -> Option<U>) -> Read<U> {
        match self {
            Self::Absent => Read::Absent,
            Self::Bad => Read::Bad,
            Self::Got(value) => change(value).map_or(Read::Bad, Read::Got),
        }
    }

    pub(super) const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

/// Which numbers are allowed; written as `0 < v <= 3 s`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    /// Lower bound and whether the bound itself is allowed.
    pub(super) low: Option<(f64, bool)>,
    /// Upper bound and whether the bound itself is allowed.
    pub(super) high: Option<(f64, bool)>,
    /// After the numbers, for example ` s`; may be empty.
    pub(super) unit: &'static str,
    /// Why.
    pub(super) because: &'static str,
}

impl Range {
    pub(super) const fn above(low: f64, unit: &'static str, because: &'static str) -> Self {
        Self { low: Some((low, false)), high: None, unit, because }
    }

    pub(super) const fn from(low: f64, unit: &'static str, because: &'static str) -> Self {
        Self { low: Some((low, true)), high: None, unit, because }
    }

    pub(super) const fn any(unit: &'static str, because: &'static str) -> Self {
        Self { low: None, high: None, unit, because }
    }

    pub(super) const fn to(mut self, high: f64) -> Self {
        self.high = Some((high, true));
        self
    }

    pub(super) const fn below(mut self, high: f64) -> Self {
        self.high = Some((high, false));
        self
    }

    pub(super) fn contains(&self, value: f64) -> bool {
        let is_over =
            self.low.is_none_or(|(low, is_in)| if is_in { value >= low } else { value > low });
        let is_under =
            self.high.is_none_or(|(high, is_in)| if is_in { value <= high } else { value < high });
        value.is_finite() && is_over && is_under
    }

    pub(super) fn text(&self) -> String {
        let unit = self.unit;
        let sign = |is_in: bool| if is_in { "<=" } else { "<" };
        match (self.low, self.high) {
            (None, None) => "a finite number".to_owned(),
            (None, Some((high, is_in))) => format!("v {} {high}{unit}", sign(is_in)),
            (Some((low, is_in)), high) => match high {
                Some((high, is_high_in)) => {
                    format!("{low} {} v {} {high}{unit}", sign(is_in), sign(is_high_in))
                }
                None if is_in => format!("v >= {low}{unit}"),
                None => format!("v > {low}{unit}"),
            },
        }
    }
}
