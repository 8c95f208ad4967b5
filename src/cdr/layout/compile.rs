//! From a type and paths to a program.
//!
//! Every path is first fitted to the type by `resolve`, for its errors. Then the type is gone
//! through once, with the paths that are still alive at each field; an array of messages is cut
//! into stretches of elements for which the same paths are alive.

use std::sync::Arc;

use super::super::path::{Index, Path, Step};
use super::super::schema::{Arity, DUMMY_MEMBER, Field, Kind, MessageType};
use super::leaf::{
    Purpose, Taken, Thread, count_of, elements, end_of, ends_in_allow, numbers, take_step, texts,
};
use super::program::{Count, Op, Repeat, Stretch, Width};
use super::ranges::{Ranges, complement, ranges_text};
use super::resolve::{End, has_floats, resolve};
use super::run::{least_size, push, repeat};
use super::{Layout, LayoutError, LayoutProblem, Leaf, Selection, SlotKind};

/// Deeper than any real message; the walk's recursion is this deep at most.
const MAX_DEPTH: usize = 32;
/// Room for hits that nobody needs more of: over a message of 64 KiB full of bytes.
const MAX_HITS: usize = 1 << 20;

pub(super) fn compile(
    message: &Arc<MessageType>,
    selections: &[Selection],
    allow_non_finite: &[Path],
) -> Result<Layout, LayoutError> {
    let fail = |path: String, problem: LayoutProblem| LayoutError {
        path,
        message: message.name.clone(),
        problem,
    };
    let mut kinds = Vec::new();
    let mut max_hits = Vec::new();
    let mut paths: Vec<(Vec<Step>, Purpose)> = Vec::new();
    for (slot, selection) in (0_u32..).zip(selections) {
        let (kind, room) = resolve_selection(message, selection)
            .map_err(|problem| fail(selection.path.to_string(), problem))?;
        kinds.push(kind);
        max_hits.push(room);
        let purpose = Purpose::Slot { slot, finite: selection.finite };
        let steps = selection.path.steps();
        if kind == SlotKind::Stamp {
            paths.push((below(steps, "sec"), purpose));
            paths.push((below(steps, "nanosec"), Purpose::Cover));
        } else {
            paths.push((steps.to_vec(), purpose));
        }
    }
    for path in allow_non_finite {
        resolve_allowed(message, path).map_err(|problem| fail(path.to_string(), problem))?;
        paths.push((path.steps().to_vec(), Purpose::Allow));
    }
    let threads: Vec<Thread<'_>> =
        paths.iter().map(|(steps, purpose)| Thread { steps, purpose: *purpose }).collect();
    let mut compiler = Compiler { uncovered: Vec::new() };
    let place = Place { path: "", allowed: false, depth: 0 };
    let program = compiler
        .message(message, &threads, place)
        .map_err(|(path, problem)| fail(path, problem))?;
    Ok(Layout {
        message: Arc::clone(message),
        program: program.into_boxed_slice(),
        kinds: kinds.into_boxed_slice(),
        max_hits: max_hits.into_boxed_slice(),
        uncovered: compiler.uncovered.into_boxed_slice(),
    })
}

fn resolve_selection(
    message: &MessageType,
    selection: &Selection,
) -> Result<(SlotKind, u32), LayoutProblem> {
    let kind = match resolve(message, &selection.path)? {
        End::Slot(kind) => kind,
        End::Message(inner) => {
            return Err(LayoutProblem::EndsAtMessage {
                message: inner.name.clone(),
                available: inner.describe_fields(),
            });
        }
    };
    match u32::try_from(selection.max_hits) {
        Ok(room) if (1..=MAX_HITS).contains(&selection.max_hits) => Ok((kind, room)),
        Ok(_) | Err(_) => Err(LayoutProblem::BadMaxHits(selection.max_hits)),
    }
}

fn resolve_allowed(message: &MessageType, path: &Path) -> Result<(), LayoutProblem> {
    let (floats, type_name) = match resolve(message, path)? {
        End::Slot(SlotKind::Number(primitive)) => (primitive.is_float(), primitive.to_string()),
        End::Slot(SlotKind::Text | SlotKind::WideText) => (false, "a text".to_owned()),
        End::Slot(SlotKind::Stamp) => (false, "a stamp".to_owned()),
        End::Message(inner) => {
            (inner.fields.iter().any(|field| has_floats(&field.kind)), inner.name.clone())
        }
    };
    if floats { Ok(()) } else { Err(LayoutProblem::NoFloats { type_name }) }
}

fn below(steps: &[Step], name: &str) -> Vec<Step> {
    let last = Step { name: name.to_owned(), index: Index::None };
    steps.iter().cloned().chain([last]).collect()
}

/// Where the compiler is in the type.
#[derive(Clone, Copy)]
struct Place<'path> {
    /// Path to the message, empty for the root.
    path: &'path str,
    /// Whether all floats from here on need not be finite.
    allowed: bool,
    depth: usize,
}

/// A problem of the type, with the path to the field that has it.
type TypeProblem = (String, LayoutProblem);

struct Compiler {
    uncovered: Vec<Leaf>,
}

impl Compiler {
    fn message(
        &mut self,
        message: &MessageType,
        threads: &[Thread<'_>],
        place: Place<'_>,
    ) -> Result<Vec<Op>, TypeProblem> {
        if place.depth >= MAX_DEPTH {
            return Err((place.path.to_owned(), LayoutProblem::TooDeep(MAX_DEPTH)));
        }
        if message.fields.is_empty() {
            let problem = LayoutProblem::NoFields(message.name.clone());
            return Err((place.path.to_owned(), problem));
        }
        let mut program = Vec::new();
        for field in &message.fields {
            let separator = if place.path.is_empty() { "" } else { "." };
            let path = format!("{}{separator}{}", place.path, field.name);
            let taken: Vec<Taken<'_>> =
                threads.iter().filter_map(|thread| take_step(*thread, &field.name)).collect();
            self.field(&mut program, field, &taken, Place { path: &path, ..place })?;
        }
        Ok(program)
    }

    fn field(
        &mut self,
        program: &mut Vec<Op>,
        field: &Field,
        taken: &[Taken<'_>],
        place: Place<'_>,
    ) -> Result<(), TypeProblem> {
        let count = count_of(field.arity).map_err(|problem| (place.path.to_owned(), problem))?;
        match &field.kind {
            Kind::Primitive(primitive) => {
                self.note_uncovered(field, taken, place);
                let op = numbers(*primitive, count, taken, place.allowed)
                    .map_err(|problem| (place.path.to_owned(), problem))?;
                push(program, op);
            }
            Kind::String { bound } => {
                self.note_uncovered(field, taken, place);
                push(program, texts(count, *bound, Width::Narrow, taken));
            }
            Kind::WString { bound } => {
                self.note_uncovered(field, taken, place);
                push(program, texts(count, *bound, Width::Wide, taken));
            }
            Kind::Message(inner) if field.arity == Arity::One => {
                let threads: Vec<Thread<'_>> = taken.iter().map(|taken| taken.rest).collect();
                let allowed = place.allowed || threads.iter().any(ends_in_allow);
                let place = Place { allowed, depth: place.depth + 1, ..place };
                for op in self.message(inner, &threads, place)? {
                    push(program, op);
                }
            }
            Kind::Message(inner) => {
                push(program, self.messages(inner, count, taken, place)?);
            }
        }
        Ok(())
    }

    /// An array of messages, cut where the set of paths that are alive changes.
    fn messages(
        &mut self,
        inner: &MessageType,
        count: Count,
        taken: &[Taken<'_>],
        place: Place<'_>,
    ) -> Result<Op, TypeProblem> {
        let end = end_of(count);
        let mut cuts: Vec<u32> = taken
            .iter()
            .flat_map(|taken| {
                let (from, to) = elements(taken.index);
                [from, to.min(end)]
            })
            .chain([0, end])
            .collect();
        cuts.sort_unstable();
        cuts.dedup();
        let mut stretches = Vec::new();
        for (from, to) in cuts.iter().zip(cuts.iter().skip(1)) {
            let threads: Vec<Thread<'_>> = taken
                .iter()
                .filter(|taken| {
                    let (first, last) = elements(taken.index);
                    (first..last).contains(from)
                })
                .map(|taken| taken.rest)
                .collect();
            let path = format!("{}{}", place.path, ranges_text((*from, *to), end));
            let allowed = place.allowed || threads.iter().any(ends_in_allow);
            let place = Place { path: &path, allowed, depth: place.depth + 1 };
            let program = self.message(inner, &threads, place)?.into_boxed_slice();
            stretches.push(Stretch { to: *to, program });
        }
        let stretches = stretches.into_boxed_slice();
        Ok(repeat(Repeat { count, least: least_size(inner), stretches }))
    }

    fn note_uncovered(&mut self, field: &Field, taken: &[Taken<'_>], place: Place<'_>) {
        if field.name == DUMMY_MEMBER {
            return;
        }
        let end = count_of(field.arity).map_or(u32::MAX, end_of);
        let covered: Ranges = taken
            .iter()
            .filter(|taken| match taken.rest.purpose {
                Purpose::Slot { .. } | Purpose::Cover => true,
                Purpose::Allow => false,
            })
            .map(|taken| elements(taken.index))
            .collect();
        for range in complement(covered, end) {
            let index = match field.arity {
                Arity::One => String::new(),
                Arity::Array(_) | Arity::Sequence { .. } => ranges_text(range, end),
            };
            self.uncovered.push(Leaf {
                path: format!("{}{index}", place.path),
                kind: field.kind.clone(),
                arity: field.arity,
            });
        }
    }
}
