//! Types that everybody tries first and that cannot be shared, with what to write instead. The trait bound finds the rest, but
//! can only say that it does not hold.

use syn::visit::{self, Visit};
use syn::{GenericArgument, PathArguments, Type, TypePath};

use super::ast::Field;
use crate::diag::Diag;

/// Last segment of a path, why it cannot be shared and what to write.
const TYPES: &[(&str, &str)] = &[
    (
        "String",
        "its text is in this process's own memory; write `Text<N>`, which holds up to N bytes",
    ),
    (
        "PathBuf",
        "its text is in this process's own memory; write `Text<N>`, which holds up to N bytes",
    ),
    (
        "OsString",
        "its text is in this process's own memory; write `Text<N>`, which holds up to N bytes",
    ),
    (
        "CString",
        "its text is in this process's own memory; write `Text<N>`, which holds up to N bytes",
    ),
    (
        "Vec",
        "its elements are in this process's own memory; write `List<T, N>`, `[T; N]`, or keep an `Array<T>` beside it",
    ),
    (
        "VecDeque",
        "its elements are in this process's own memory; write `List<T, N>`, or keep a `Queue<T>` beside it",
    ),
    (
        "HashMap",
        "its entries are in this process's own memory; write `List<(K, V), N>`, or use a dict of a `Manager`",
    ),
    (
        "BTreeMap",
        "its entries are in this process's own memory; write `List<(K, V), N>`, or use a dict of a `Manager`",
    ),
    (
        "HashSet",
        "its elements are in this process's own memory; write `List<T, N>`, or use a set of a `Manager`",
    ),
    (
        "BTreeSet",
        "its elements are in this process's own memory; write `List<T, N>`, or use a set of a `Manager`",
    ),
    ("Box", "it points into this process's own memory; write the type itself"),
    (
        "Rc",
        "it points into this process's own memory; write the type itself, and share the whole struct with `Shared::new`",
    ),
    (
        "Arc",
        "it points into this process's own memory; write the type itself, and share the whole struct with `Shared::new`",
    ),
    ("Cow", "it may point into this process's own memory; write the type itself"),
    ("Cell", "processes would race for it; write `Value<T>` or an atomic"),
    ("RefCell", "processes would race for it; write `Mutex<T>` of psync"),
    ("OnceCell", "processes would race for it; write `Once<T>`"),
    ("char", "a half-written one may not be a character; write `u32` and `char::from_u32`"),
    (
        "Option",
        "a half-written one may pair `Some` with no value; write `List<T, 1>`, or the value and a `bool`",
    ),
    (
        "Result",
        "a half-written one may pair one variant with the data of the other; write the parts as fields",
    ),
    (
        "File",
        "a descriptor is a number that only this process can use; pass it to the function, or open it there",
    ),
    (
        "OwnedFd",
        "a descriptor is a number that only this process can use; pass it to the function, or open it there",
    ),
    (
        "TcpStream",
        "a descriptor is a number that only this process can use; pass it to the function, or open it there",
    ),
    (
        "Instant",
        "its layout is not fixed; write the `u64` of its nanoseconds since a start of your choice",
    ),
    ("SystemTime", "its layout is not fixed; write the `u64` of its seconds since the epoch"),
    (
        "Shared",
        "a handle is a descriptor of one process; write the type itself, or pass the handle as an argument",
    ),
    (
        "Array",
        "a handle is a descriptor of one process; write `[T; N]`, or pass the handle as an argument",
    ),
    ("Queue", "a handle is a descriptor of one process; pass it to the function as an argument"),
];

/// Names of which psync has its own: only the path tells them apart.
const STD_ONLY: &[(&str, &str)] = &[
    ("Mutex", "it works between threads only; write `psync::Mutex<T>`"),
    ("RwLock", "it works between threads only; write `psync::RwLock<T>`"),
    ("Condvar", "it works between threads only; write `psync::Condvar`"),
    ("Barrier", "it works between threads only; write `psync::Barrier`"),
    ("OnceLock", "it works between threads only; write `psync::Once<T>`"),
];

/// Containers that hold their contents inline, so that what is wrong inside is wrong for the field.
const INLINE: &[&str] = &["Value", "Mutex", "ReentrantMutex", "RwLock", "Once", "List"];

/// Files what syntax shows about the type of a field.
pub(super) fn field(field: &Field, diag: &mut Diag) {
    let mut seen = Seen { what: format!("field `{}`", field.label()), diag };
    seen.visit_type(&field.ty);
}

/// The same for a static.
pub(super) fn item(name: &str, ty: &Type, diag: &mut Diag) {
    let mut seen = Seen { what: format!("static `{name}`"), diag };
    seen.visit_type(ty);
}

struct Seen<'d> {
    /// Whose type it is.
    what: String,
    diag: &'d mut Diag,
}

impl Seen<'_> {
    fn refuse(&mut self, ty: impl quote::ToTokens, what: &str, why: &str) {
        let message = format!("{}: {what} cannot live in shared memory, {why}", self.what);
        self.diag.error(ty, message);
    }
}

impl<'ast> Visit<'ast> for Seen<'_> {
    fn visit_type(&mut self, ty: &'ast Type) {
        match ty {
            Type::Path(path) => self.visit_type_path(path),
            Type::Array(_) | Type::Tuple(_) | Type::Paren(_) | Type::Group(_) => {
                visit::visit_type(self, ty);
            }
            // A lifetime parameter has been reported where it is declared.
            Type::Reference(reference)
                if reference
                    .lifetime
                    .as_ref()
                    .is_some_and(|lifetime| lifetime.ident != "static") => {}
            Type::Reference(reference) => {
                self.refuse(
                    reference.and_token,
                    "a reference",
                    "it points into this process's own memory; write the type itself",
                );
            }
            Type::Ptr(ptr) => {
                self.refuse(
                    ptr,
                    "a pointer",
                    "addresses differ between processes; write an index, or the type itself",
                );
            }
            Type::FnPtr(pointer) => {
                self.refuse(
                    pointer.fn_token,
                    "a function pointer",
                    "addresses differ between processes; write an enum and match on it",
                );
            }
            Type::Slice(slice) => {
                self.refuse(
                    slice,
                    "a slice",
                    "its length is not fixed; write `[T; N]`, or keep a `Shared<[T]>` beside it",
                );
            }
            Type::TraitObject(object) => {
                self.refuse(
                    object,
                    "a trait object",
                    "addresses differ between processes; write an enum and match on it",
                );
            }
            _ => {}
        }
    }

    fn visit_type_path(&mut self, ty: &'ast TypePath) {
        let (None, Some(last)) = (&ty.qself, ty.path.segments.last()) else { return };
        let name = last.ident.to_string();
        let first = ty.path.segments.first().map(|first| first.ident.to_string());
        let from_std = matches!(first.as_deref(), Some("std" | "core" | "alloc"));
        let alone = ty.path.segments.len() == 1;
        let known =
            TYPES.iter().filter(|_| alone || from_std).chain(STD_ONLY.iter().filter(|_| from_std));
        if let Some((_, why)) = known.into_iter().find(|(known, _)| *known == name) {
            self.refuse(&ty.path, &format!("`{name}`"), why);
        } else if name.starts_with("NonZero") && (alone || from_std) {
            self.refuse(
                &ty.path,
                &format!("`{name}`"),
                "all its bytes are zero before it is written; write the plain number",
            );
        } else if let (true, PathArguments::AngleBracketed(args)) =
            (INLINE.contains(&name.as_str()), &last.arguments)
        {
            for arg in &args.args {
                if let GenericArgument::Type(inner) = arg {
                    self.visit_type(inner);
                }
            }
        }
    }
}
