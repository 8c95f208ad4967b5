//! One way to write a closed list: an enum, its label in every interface, and all its members.

/// Declares a field-less enum with `ALL`, `label()` and `from_label()`.
///
/// The label is the word used in topics, metrics, logs and documents alike, so it is written once.
macro_rules! closed_list {
    (
        $(#[$meta:meta])*
        $name:ident { $( $(#[$vmeta:meta])* $variant:ident = $label:literal ),+ $(,)? }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $( $(#[$vmeta])* $variant ),+ }

        impl $name {
            /// Every member, in declaration order.
            pub const ALL: &'static [Self] = &[ $( Self::$variant ),+ ];

            /// The word for it in topics, metrics, logs and documents.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $( Self::$variant => $label ),+ }
            }

            /// The member with this label.
            #[must_use]
            pub fn from_label(label: &str) -> Option<Self> {
                match label { $( $label => Some(Self::$variant), )+ _ => None }
            }

            /// Its place in [`Self::ALL`], for tables indexed by it.
            #[must_use]
            #[expect(clippy::as_conversions, reason = "discriminant of a field-less enum")]
            pub const fn index(self) -> usize { self as usize }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.label())
            }
        }
    };
}
pub(crate) use closed_list;
