//! From a params file's map and a type to the selections of a layout and the codec over them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::coverage::{self, Named};
use super::kinds::{check_commanded, check_kinds, primitive};
use super::paths::{
    Counts, fields_of, frozen, hits, leaves_under, many_steps, names_to, note_count, note_counts,
    taken, with_index,
};
use super::start::{safe_value, start};
use super::{Carries, CountRule, Fixed, Mapped, Quantity};
use crate::cdr::{
    Arity, Endian, FiniteRule, Index, Kind, Layout, MessageType, Path, Primitive, Selection, Step,
    write_i64,
};
use crate::codec::CodecError;
use crate::codec::joints::JointOrder;
use crate::config::model::{FieldMap, Interface, LaneConfig, UnusedElements};
use crate::gate::safe::SafeCommand;

/// Room for the elements of an array of any length of which nobody says how long it must be.
const MAX_ELEMENTS: usize = 4096;

/// A map fitted to its type.
pub(in crate::codec) struct Compiled {
    pub(in crate::codec) map: Mapped,
    pub(in crate::codec) selections: Vec<Selection>,
    /// Slot of the stamp.
    pub(in crate::codec) stamp: Option<usize>,
    /// The type's defaults with every count, name and fixed value that the map tells.
    pub(in crate::codec) start: Vec<u8>,
    /// Floats are kept as last sent, which no default can stand for.
    pub(in crate::codec) keeps_floats: bool,
    /// Numbers of any kind are.
    pub(in crate::codec) keeps_numbers: bool,
}

/// Fits the lane's map to the type.
pub(in crate::codec) fn compile(
    lane: &LaneConfig,
    fields: &FieldMap,
    message: &Arc<MessageType>,
) -> Result<Compiled, CodecError> {
    let stamp = stamp_path(lane, fields, message);
    let named = named_paths(lane, fields, stamp.as_ref());
    let checked: Vec<Path> =
        named.iter().flat_map(|one| leaves_under(message, &one.path)).collect();
    // The first path that does not fit the type is reported as the layout reports it.
    for path in checked {
        Layout::compile(message, &[selection(path, 1, FiniteRule::AsUnselected)], &[])?;
    }
    let mut fitting =
        Fitting { lane, message, counts: Counts::new(), selections: Vec::new(), rules: Vec::new() };
    check_kinds(lane, message, fields)?;
    for path in &lane.keep {
        coverage::refuse_kept_bytes(message, path)?;
    }
    let names_arrays = fitting.count_elements(fields, &named)?;
    let declared = lane.checksum.as_ref().map(|checksum| &checksum.field);
    let frozen = frozen(message, &fitting.counts);
    coverage::check(message, &frozen, &named)?;
    coverage::refuse_undeclared_checksum(message, declared)?;
    check_commanded(lane, message, fields)?;
    let names = fitting.names(fields);
    let quantities = fitting.quantities(fields)?;
    let fixed = fitting.fixed()?;
    fitting.count_rules(&names_arrays)?;
    let stamp = stamp.map(|path| fitting.select(path, 1, FiniteRule::Leave));
    let start = start(lane, fields, message, &frozen)?;
    let keeps_unused = lane.unused_elements == UnusedElements::Keep
        && quantities.iter().any(|quantity| !quantity.unused.is_empty());
    let keeps_floats = keeps_unused || coverage::keeps(message, &lane.keep, Primitive::is_float);
    let keeps_numbers = coverage::keeps(message, &lane.keep, |_| true);
    let Fitting { selections, rules, .. } = fitting;
    let map = Mapped {
        quantities,
        counts: rules.into_boxed_slice(),
        fixed,
        names,
        unused: lane.unused_elements,
        places: lane.joint_index.clone().into_boxed_slice(),
    };
    Ok(Compiled { map, selections, stamp, start, keeps_floats, keeps_numbers })
}

fn selection(path: Path, max_hits: usize, finite: FiniteRule) -> Selection {
    Selection { path, max_hits, finite }
}

/// The quantities that a map can have, with their keys.
pub(super) fn quantity_paths(
    fields: &FieldMap,
) -> impl Iterator<Item = (Carries, &'static str, &Path)> {
    [
        (Carries::Position, "position", &fields.position),
        (Carries::Velocity, "velocity", &fields.velocity),
        (Carries::Acceleration, "acceleration", &fields.acceleration),
        (Carries::Effort, "effort", &fields.effort),
        (Carries::Kp, "kp", &fields.kp),
        (Carries::Kd, "kd", &fields.kd),
    ]
    .into_iter()
    .filter_map(|(carries, key, path)| path.as_ref().map(|path| (carries, key, path)))
}

/// The stamp: the one configured, else that of a header at the top, unless it is kept.
fn stamp_path(lane: &LaneConfig, fields: &FieldMap, message: &MessageType) -> Option<Path> {
    let step = |name: &str| Step { name: name.to_owned(), index: Index::None };
    let header = || {
        let field = message.field("header").filter(|field| field.arity == Arity::One)?;
        let is_header =
            matches!(&field.kind, Kind::Message(inner) if inner.name == "std_msgs/msg/Header");
        let kept = lane.keep.iter().any(|path| path.steps().first() == Some(&step("header")));
        if is_header && !kept { Path::new(vec![step("header"), step("stamp")]) } else { None }
    };
    fields.stamp.clone().or_else(header)
}

/// Every path of the params file with its key.
fn named_paths(lane: &LaneConfig, fields: &FieldMap, stamp: Option<&Path>) -> Vec<Named> {
    let named = |key: String, path: &Path| Named { key, path: path.clone() };
    let mut all: Vec<Named> =
        quantity_paths(fields).map(|(_, key, path)| named(format!("fields.{key}"), path)).collect();
    all.extend(fields.names.iter().map(|path| named("fields.names".to_owned(), path)));
    all.extend(stamp.map(|path| named("fields.stamp".to_owned(), path)));
    all.extend(lane.keep.iter().map(|path| named("keep".to_owned(), path)));
    let fixed = lane.fixed.iter();
    all.extend(fixed.map(|fixed| named(format!("fixed.{}.field", fixed.name), &fixed.field)));
    let checksum = lane.checksum.iter();
    all.extend(checksum.map(|checksum| named("checksum.field".to_owned(), &checksum.field)));
    all
}

/// What is being put together.
struct Fitting<'a> {
    lane: &'a LaneConfig,
    message: &'a Arc<MessageType>,
    counts: Counts,
    selections: Vec<Selection>,
    rules: Vec<CountRule>,
}

impl Fitting<'_> {
    fn select(&mut self, path: Path, max_hits: usize, finite: FiniteRule) -> usize {
        self.selections.push(selection(path, max_hits, finite));
        self.selections.len().saturating_sub(1)
    }

    /// The one array of joints on the way of a path, by step; `None`: a single field.
    fn joints_step(&self, key: &str, path: &Path) -> Result<Option<usize>, CodecError> {
        match many_steps(self.message, path).as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(*one)),
            [..] => Err(CodecError::Arrays { key: key.to_owned(), path: path.to_string() }),
        }
    }

    /// How many elements each array of any length must have. Returns the arrays that are as long as
    /// there are names instead.
    fn count_elements(
        &mut self,
        fields: &FieldMap,
        named: &[Named],
    ) -> Result<BTreeSet<Vec<String>>, CodecError> {
        let mut by_names = BTreeSet::new();
        for one in named {
            for leaf in leaves_under(self.message, &one.path) {
                note_counts(self.message, &leaf, &mut self.counts);
            }
        }
        let joints = u32::try_from(self.lane.dimensions.len()).unwrap_or(u32::MAX);
        let last = self.lane.joint_index.iter().copied().max().unwrap_or(0);
        let names = fields.names.iter().map(|path| ("names", path));
        let arrays = quantity_paths(fields).map(|(_, key, path)| (key, path)).chain(names);
        for (key, path) in arrays {
            let key_text = format!("fields.{key}");
            let step = self.joints_step(&key_text, path)?;
            let field = step.and_then(|step| fields_of(self.message, path).get(step).copied());
            let open = step.is_some_and(|step| taken(self.message, path, step).is_none());
            if fields.names.is_some() {
                let Some(step) = step else {
                    return Err(CodecError::Arrays { key: key_text, path: path.to_string() });
                };
                let whole = path.steps().get(step).map(|step| step.index);
                if matches!(whole, Some(Index::Range(..)) | None) {
                    return Err(CodecError::PartOfNamed { key: key_text, path: path.to_string() });
                }
                if field.is_some_and(|field| matches!(field.arity, Arity::Sequence { .. })) {
                    let array = names_to(path, step);
                    note_count(&mut self.counts, array.clone(), joints);
                    by_names.insert(array);
                }
            } else if let (true, Some(step)) = (open, step) {
                let count = u32::try_from(last.saturating_add(1)).unwrap_or(u32::MAX);
                note_count(&mut self.counts, names_to(path, step), count);
            }
        }
        Ok(by_names)
    }

    fn names(&mut self, fields: &FieldMap) -> Option<(usize, JointOrder)> {
        let path = fields.names.clone()?;
        let room = self.room_for_names();
        let order = JointOrder::new(&self.lane.dimensions);
        Some((self.select(path, room, FiniteRule::Leave), order))
    }

    /// Enough to tell a wrong count from a broken message.
    fn room_for_names(&self) -> usize {
        self.lane.dimensions.len().saturating_mul(2).saturating_add(8)
    }

    fn quantities(&mut self, fields: &FieldMap) -> Result<Box<[Quantity]>, CodecError> {
        let frozen = frozen(self.message, &self.counts);
        let mut quantities = Vec::new();
        for (carries, key, path) in quantity_paths(fields) {
            let step = self.joints_step(key, path)?;
            let elements = match step {
                None => 1,
                Some(step) => taken(&frozen, path, step).unwrap_or(0),
            };
            let last = path.steps().len().saturating_sub(1);
            let in_messages = step.is_some_and(|step| step != last);
            let named = fields.names.is_some();
            let room = match (named, in_messages) {
                (_, false) => 1,
                (true, true) => self.room_for_names(),
                (false, true) => elements.max(1),
            };
            let mut unused: Vec<u32> = Vec::new();
            if !named {
                let beyond = self.lane.joint_index.iter().find(|place| **place >= elements);
                if let Some(place) = beyond {
                    let path = path.to_string();
                    return Err(CodecError::JointIndex { key, path, place: *place, elements });
                }
                let free = (0..elements).filter(|place| !self.lane.joint_index.contains(place));
                unused.extend(free.filter_map(|place| u32::try_from(place).ok()));
            }
            let Some(primitive) = primitive(self.message, path) else { continue };
            let slot = self.select(path.clone(), room, FiniteRule::Leave);
            let unused = unused.into_boxed_slice();
            quantities.push(Quantity { carries, slot, primitive, in_messages, elements, unused });
        }
        Ok(quantities.into_boxed_slice())
    }

    fn fixed(&mut self) -> Result<Box<[Fixed]>, CodecError> {
        let frozen = frozen(self.message, &self.counts);
        let mut all = Vec::new();
        let mut mirrors = 0_usize;
        for fixed in &self.lane.fixed {
            let Some(primitive) = primitive(self.message, &fixed.field) else { continue };
            let values = fixed.allowed.iter().chain(&fixed.safe);
            for value in values {
                if !holds(primitive, *value) {
                    return Err(CodecError::FixedValue {
                        name: fixed.name.clone(),
                        value: *value,
                        type_name: primitive.to_string(),
                    });
                }
            }
            let mirror = fixed.mirror.is_some().then_some(mirrors);
            mirrors = mirrors.saturating_add(usize::from(mirror.is_some()));
            let safe = safe_value(fixed);
            let silent = self.lane.safe == SafeCommand::Silent;
            if safe.is_none() && mirror.is_none() && !silent {
                return Err(CodecError::NoSafeValue {
                    name: fixed.name.clone(),
                    field: fixed.field.to_string(),
                });
            }
            let room = hits(&frozen, &fixed.field, MAX_ELEMENTS);
            let slot = self.select(fixed.field.clone(), room, FiniteRule::Leave);
            let allowed = fixed.allowed.clone().into_boxed_slice();
            all.push(Fixed { slot, primitive, allowed, mirror, safe });
        }
        Ok(all.into_boxed_slice())
    }

    /// One selection for each array of any length that must have the length the map covers.
    fn count_rules(&mut self, by_names: &BTreeSet<Vec<String>>) -> Result<(), CodecError> {
        let counts: Vec<(Vec<String>, u32)> =
            self.counts.iter().map(|(names, count)| (names.clone(), *count)).collect();
        for (names, count) in counts {
            if by_names.contains(&names) {
                continue;
            }
            let Ok(count) = usize::try_from(count) else { continue };
            // Every element of every array on the way.
            let all = names.iter().map(|name| Step { name: name.clone(), index: Index::None });
            let Some(mut path) = Path::new(all.collect()) else { continue };
            let arities: Vec<Arity> =
                fields_of(self.message, &path).iter().map(|field| field.arity).collect();
            let last = names.len().saturating_sub(1);
            for (step, arity) in arities.iter().enumerate() {
                if *arity != Arity::One {
                    path = with_index(&path, step, Index::All);
                }
            }
            let numbers = primitive(self.message, &path).is_some();
            let outer = arities.iter().take(last).any(|arity| *arity != Arity::One);
            if outer && !numbers {
                let key = "an array of any length in another array".to_owned();
                return Err(CodecError::Arrays { key, path: path.to_string() });
            }
            let probe = if numbers { Some(path.clone()) } else { first_leaf(self.message, &path) };
            let Some(probe) = probe else {
                let key = "an array of messages of any length".to_owned();
                return Err(CodecError::Arrays { key, path: path.to_string() });
            };
            let room = if numbers && outer { MAX_ELEMENTS } else { count };
            let slot = self.select(probe, room, FiniteRule::AsUnselected);
            self.rules.push(CountRule { slot, in_hits: !numbers, count });
        }
        Ok(())
    }
}

/// A field that every element of the array of messages (or texts) at `path` has exactly once.
fn first_leaf(message: &MessageType, path: &Path) -> Option<Path> {
    let below = leaves_under(message, path);
    let depth = path.steps().len();
    below.into_iter().find_map(|leaf| {
        let fields = fields_of(message, &leaf);
        let mut one = leaf.clone();
        for (step, field) in fields.iter().enumerate().skip(depth) {
            match field.arity {
                Arity::One => {}
                Arity::Array(_) => one = with_index(&one, step, Index::One(0)),
                Arity::Sequence { .. } => return None,
            }
        }
        Some(one)
    })
}

/// Whether an integer field can have the value.
fn holds(primitive: Primitive, value: i64) -> bool {
    let mut bytes = [0; 8];
    write_i64(&mut bytes, Endian::Little, primitive, 0, value).is_some()
}

/// A type with a built-in map for one array, as a map: what `keep` and `unused_elements` need.
pub(in crate::codec) fn array_map(interface: Interface, path: Path) -> FieldMap {
    match interface {
        Interface::Position => FieldMap { position: Some(path), ..FieldMap::default() },
        Interface::Velocity => FieldMap { velocity: Some(path), ..FieldMap::default() },
        Interface::Effort => FieldMap { effort: Some(path), ..FieldMap::default() },
    }
}

/// Whether a lane of a type with a built-in map uses keys that need a map of its own.
pub(in crate::codec) fn needs_map(lane: &LaneConfig) -> Option<&'static str> {
    if !lane.keep.is_empty() {
        Some("keep")
    } else if !lane.fixed.is_empty() {
        Some("fixed")
    } else if lane.checksum.is_some() {
        Some("checksum")
    } else if lane.unused_elements == UnusedElements::Keep {
        Some("unused_elements")
    } else {
        None
    }
}
