//! Functions that SQL calls (`LANGUAGE C`, version-1 convention).
//!
//! [`pg_functions!`] wraps a plain Rust function into the exported symbol, [`pg_export!`] an
//! instance of a generic one: arguments are taken by [`Argument`], the result is given back by
//! [`Return`], an error or a panic becomes an `ERROR` of the statement. It costs nothing over a hand-written entry point (pgrx's `#[pg_extern]` costs
//! 13 to 15 ns a call, a tenth of a distance over 768 dimensions).
//!
//! SQL declares a function `STRICT` unless a parameter is [`NULLABLE`](Argument::NULLABLE); a NULL
//! that arrives nevertheless is an error.

#![allow(unsafe_code)] // the call convention is raw pointers

use std::ffi::{CStr, CString};
use std::marker::PhantomData;
use std::panic::AssertUnwindSafe;

use pgrx::PgMemoryContexts;
use pgrx::pg_sys::panic::pgrx_extern_c_guard;
use pgrx::pg_sys::{self, Datum, FunctionCallInfo};

use super::catalog::schema_of_function;
use super::encoding::encode;
use super::error::Report;
use super::value::SqlValue;
use super::varlena::Detoasted;

/// The arguments of one call, handed out from left to right.
pub struct Args<'a> {
    fcinfo: FunctionCallInfo,
    next: usize,
    call: PhantomData<&'a ()>,
}

impl<'a> Args<'a> {
    /// # Safety
    /// `fcinfo` is what PostgreSQL passed to the running function, and `'a` ends with the call.
    pub unsafe fn new(fcinfo: FunctionCallInfo) -> Args<'a> {
        Args { fcinfo, next: 0, call: PhantomData }
    }

    /// Takes the next argument.
    #[inline(always)]
    pub fn take<T: Argument<'a>>(&mut self) -> Result<T, Report> {
        T::take(self)
    }

    /// The next argument as it came.
    #[inline(always)]
    pub fn datum(&mut self) -> Result<Datum, Report> {
        self.optional_datum().ok_or_else(missing_argument)
    }

    /// The next argument as it came; none for NULL.
    #[inline(always)]
    pub fn optional_datum(&mut self) -> Option<Datum> {
        let n = self.next;
        self.next += 1;
        self.peek(n)
    }

    /// The next argument with its type; none for NULL.
    pub fn take_typed(&mut self) -> Result<Option<SqlValue<'a>>, Report> {
        let n = self.next;
        let TypeOf(of) = self.take()?;
        let Some(datum) = self.peek(n) else { return Ok(None) };
        if of == pg_sys::Oid::INVALID {
            return Err(Report::internal("type of an argument is not known"));
        }
        // SAFETY: the argument is of its type, and lives as long as the call.
        Ok(Some(unsafe { SqlValue::new(of, datum) }))
    }

    #[inline(always)]
    fn peek(&self, n: usize) -> Option<Datum> {
        // SAFETY: `fcinfo` is valid during the call and has `nargs` arguments behind it.
        let arg = unsafe {
            let n_args = usize::try_from((*self.fcinfo).nargs).unwrap_or(0);
            (*self.fcinfo).args.as_slice(n_args).get(n).copied()
        };
        arg.filter(|arg| !arg.isnull).map(|arg| arg.value)
    }

    /// Whether the next argument is the state of an aggregate, which the function may change in
    /// place: it is the first, and the function runs as transition or combine function.
    pub fn is_aggregate_state(&self) -> bool {
        // SAFETY: `fcinfo` is valid; the second argument may be null.
        let kind = unsafe { pg_sys::AggCheckCallContext(self.fcinfo, std::ptr::null_mut()) };
        self.next == 0 && kind != 0
    }

    /// The function that is called.
    pub fn callee(&self) -> Callee {
        // SAFETY: `flinfo` is valid during the call.
        Callee(unsafe { (*(*self.fcinfo).flinfo).fn_oid })
    }

    /// The type that the function is declared to return.
    pub fn result_type(&self) -> pg_sys::Oid {
        // SAFETY: a look-up in the catalog.
        unsafe { pg_sys::get_func_rettype(self.callee().0) }
    }

    /// The raw call, for the few functions of PostgreSQL that want it.
    pub fn fcinfo(&self) -> FunctionCallInfo {
        self.fcinfo
    }
}

/// A type that can be taken out of a call.
pub trait Argument<'a>: Sized {
    /// How many arguments of SQL it is.
    const COUNT: usize = 1;
    /// Whether it may be made of NULL.
    const NULLABLE: bool = false;

    /// Takes its arguments.
    fn take(args: &mut Args<'a>) -> Result<Self, Report>;
}

/// A type that can be given back to SQL.
pub trait Return {
    /// The result as PostgreSQL wants it.
    fn into_datum(self, args: &Args) -> Result<Datum, Report>;
}

#[cold]
fn missing_argument() -> Report {
    Report::internal("function called with a missing argument")
}

impl Argument<'_> for i32 {
    #[inline]
    fn take(args: &mut Args) -> Result<i32, Report> {
        Ok(args.datum()?.value() as i32)
    }
}

impl Argument<'_> for i64 {
    #[inline]
    fn take(args: &mut Args) -> Result<i64, Report> {
        Ok(args.datum()?.value() as i64)
    }
}

impl Argument<'_> for f32 {
    #[inline]
    fn take(args: &mut Args) -> Result<f32, Report> {
        // The lower half of the datum is the number.
        Ok(f32::from_bits(args.datum()?.value() as u32))
    }
}

impl Argument<'_> for f64 {
    #[inline]
    fn take(args: &mut Args) -> Result<f64, Report> {
        Ok(f64::from_bits(args.datum()?.value() as u64))
    }
}

impl Argument<'_> for pg_sys::Oid {
    fn take(args: &mut Args) -> Result<pg_sys::Oid, Report> {
        // The lower half of the datum is the OID.
        Ok(pg_sys::Oid::from(args.datum()?.value() as u32))
    }
}

impl<'a> Argument<'a> for &'a CStr {
    fn take(args: &mut Args<'a>) -> Result<&'a CStr, Report> {
        // SAFETY: a `cstring` argument points to bytes that end with NUL and outlive the call.
        Ok(unsafe { CStr::from_ptr(args.datum()?.cast_mut_ptr()) })
    }
}

impl Argument<'_> for String {
    fn take(args: &mut Args) -> Result<String, Report> {
        let text: Detoasted = args.take()?;
        text.text()
    }
}

impl Argument<'_> for bool {
    fn take(args: &mut Args) -> Result<bool, Report> {
        Ok(args.datum()?.value() & 0xff != 0)
    }
}

/// NULL is `None`.
impl<'a, T: Argument<'a>> Argument<'a> for Option<T> {
    const NULLABLE: bool = true;

    fn take(args: &mut Args<'a>) -> Result<Option<T>, Report> {
        if args.peek(args.next).is_some() {
            return args.take().map(Some);
        }
        args.next += 1;
        Ok(None)
    }
}

/// The type of an argument whose value does not matter.
pub struct TypeOf(pub pg_sys::Oid);

impl Argument<'_> for TypeOf {
    const NULLABLE: bool = true;

    fn take(args: &mut Args) -> Result<TypeOf, Report> {
        let n = args.next;
        args.next += 1;
        // SAFETY: `flinfo` is valid during the call; an unknown argument has no type.
        let oid = unsafe { pg_sys::get_fn_expr_argtype((*args.fcinfo).flinfo, n as i32) };
        Ok(TypeOf(oid))
    }
}

/// The function that is called.
pub struct Callee(pub pg_sys::Oid);

impl Callee {
    /// Its schema: that of the extension.
    pub fn schema(&self) -> pg_sys::Oid {
        schema_of_function(self.0)
    }
}

impl Argument<'_> for Callee {
    const COUNT: usize = 0;

    fn take(args: &mut Args) -> Result<Callee, Report> {
        Ok(args.callee())
    }
}

/// An argument that the function does not look at (an OID of the type, the `explicit` flag).
pub struct Ignored;

impl Argument<'_> for Ignored {
    fn take(args: &mut Args) -> Result<Ignored, Report> {
        args.datum().map(|_| Ignored)
    }
}

/// An argument as it came.
pub struct AnyValue(pub Datum);

impl Argument<'_> for AnyValue {
    fn take(args: &mut Args) -> Result<AnyValue, Report> {
        args.datum().map(AnyValue)
    }
}

/// What a function keeps between its calls from one place in a statement.
pub struct Cached<'a, T>(pub &'a mut T);

impl<'a, T: Default + 'static> Argument<'a> for Cached<'a, T> {
    const COUNT: usize = 0;

    fn take(args: &mut Args<'a>) -> Result<Self, Report> {
        // SAFETY: the place in the statement is described during the call; what is kept lives in its
        // memory, and is of this type, as the function asks for no other. Nobody else refers to it:
        // PostgreSQL does not call a function while it is being called from the same place.
        unsafe {
            let place = &mut *(*args.fcinfo).flinfo;
            if place.fn_extra.is_null() {
                let mut memory = PgMemoryContexts::For(place.fn_mcxt);
                place.fn_extra = memory.leak_and_drop_on_delete(T::default()).cast();
            }
            Ok(Self(&mut *place.fn_extra.cast::<T>()))
        }
    }
}

impl Return for f64 {
    #[inline]
    fn into_datum(self, _: &Args) -> Result<Datum, Report> {
        Ok(Datum::from(self.to_bits()))
    }
}

impl Return for f32 {
    #[inline]
    fn into_datum(self, _: &Args) -> Result<Datum, Report> {
        Ok(Datum::from(self.to_bits()))
    }
}

impl Return for i64 {
    #[inline]
    fn into_datum(self, _: &Args) -> Result<Datum, Report> {
        Ok(Datum::from(self))
    }
}

impl Return for i32 {
    #[inline]
    fn into_datum(self, _: &Args) -> Result<Datum, Report> {
        Ok(Datum::from(self))
    }
}

/// Of a function that `RETURNS void`.
impl Return for () {
    fn into_datum(self, _: &Args) -> Result<Datum, Report> {
        Ok(Datum::null())
    }
}

impl Return for bool {
    #[inline]
    fn into_datum(self, _: &Args) -> Result<Datum, Report> {
        Ok(Datum::from(self))
    }
}

impl Return for String {
    fn into_datum(self, _: &Args) -> Result<Datum, Report> {
        let text = encode(&self)?;
        // SAFETY: copies a NUL-terminated string into a new `text`.
        Ok(Datum::from(unsafe { pg_sys::cstring_to_text(text.as_ptr()) }))
    }
}

impl Return for CString {
    fn into_datum(self, _: &Args) -> Result<Datum, Report> {
        // SAFETY: `pstrdup` copies a NUL-terminated string into the current memory context.
        Ok(Datum::from(unsafe { pg_sys::pstrdup(self.as_ptr()) }))
    }
}

/// `None` is SQL's NULL.
impl<T: Return> Return for Option<T> {
    fn into_datum(self, args: &Args) -> Result<Datum, Report> {
        match self {
            Some(value) => value.into_datum(args),
            None => {
                // SAFETY: `fcinfo` is valid during the call.
                unsafe { (*args.fcinfo).isnull = true };
                Ok(Datum::null())
            }
        }
    }
}

impl<T: Return, E: Into<Report>> Return for Result<T, E> {
    #[inline]
    fn into_datum(self, args: &Args) -> Result<Datum, Report> {
        self.map_err(Into::into)?.into_datum(args)
    }
}

/// Runs the body of an entry point: an error or a panic in it ends the statement, none leaves this
/// frame as a Rust unwind. The guard is what `#[pg_guard]` expands to.
///
/// # Safety
/// `fcinfo` is what PostgreSQL passed to the entry point.
#[inline(always)]
pub unsafe fn run(
    fcinfo: FunctionCallInfo,
    body: impl FnOnce(&mut Args) -> Result<Datum, Report>,
) -> Datum {
    // SAFETY: `fcinfo` is valid during the call, in which the closure runs at once.
    unsafe {
        pgrx_extern_c_guard(AssertUnwindSafe(move || {
            body(&mut Args::new(fcinfo)).unwrap_or_else(|error| error.raise())
        }))
    }
}

/// A function whose parameters can be taken out of a call and whose result can be given back.
/// `P`, the tuple of its parameters, is inferred.
pub trait SqlFunction<'a, P> {
    /// How many arguments it takes.
    const ARGUMENTS: usize;
    /// Whether one of them may be NULL.
    const TAKES_NULL: bool;

    /// Takes the parameters from left to right, calls, gives the result back.
    fn call(self, args: &mut Args<'a>) -> Result<Datum, Report>;
}

macro_rules! sql_function {
    ($($parameter:ident)*) => {
        impl<'a, F, R, $($parameter),*> SqlFunction<'a, ($($parameter,)*)> for F
        where
            F: FnOnce($($parameter),*) -> R,
            R: Return,
            $($parameter: Argument<'a>,)*
        {
            const ARGUMENTS: usize = 0 $(+ $parameter::COUNT)*;
            const TAKES_NULL: bool = false $(|| $parameter::NULLABLE)*;

            #[inline(always)]
            #[allow(non_snake_case)]
            fn call(self, args: &mut Args<'a>) -> Result<Datum, Report> {
                $(let $parameter = args.take()?;)*
                debug_assert_eq!(args.next, Self::ARGUMENTS);
                self($($parameter),*).into_datum(args)
            }
        }
    };
}

sql_function!();
sql_function!(A);
sql_function!(A B);
sql_function!(A B C);
sql_function!(A B C D);
sql_function!(A B C D E);
sql_function!(A B C D E G);

/// Exports functions that are declared elsewhere, generic ones above all, to SQL:
/// `pg_export! { "halfvec": add => arithmetic::add::<f16>; }` exports `halfvec_add`.
macro_rules! pg_export {
    ($prefix:literal: $($name:tt => $function:expr;)*) => {$(
        $crate::pg::function::pg_export!(@ concat!($prefix, "_", stringify!($name)) => $function);
    )*};
    (@ $symbol:expr => $function:expr) => {
        #[allow(unsafe_code)]
        const _: () = {
            #[unsafe(link_section = "vector_ext_functions")]
            static SIGNATURE: $crate::pg::signature::Signature =
                $crate::pg::signature::Signature::of($symbol, &$function);

            #[unsafe(export_name = concat!("pg_finfo_", $symbol))]
            extern "C" fn finfo() -> &'static pgrx::pg_sys::Pg_finfo_record {
                SIGNATURE.finfo()
            }

            #[unsafe(export_name = $symbol)]
            unsafe extern "C-unwind" fn entry(
                fcinfo: pgrx::pg_sys::FunctionCallInfo,
            ) -> pgrx::pg_sys::Datum {
                // SAFETY: PostgreSQL calls with a valid `fcinfo`, on its own thread.
                unsafe {
                    $crate::pg::function::run(fcinfo, |args| {
                        $crate::pg::function::SqlFunction::call($function, args)
                    })
                }
            }
        };
    };
}

pub(crate) use pg_export;

/// Declares functions that SQL can call by their name; see the module.
macro_rules! pg_functions {
    ($($(#[$attr:meta])* fn $name:ident $(<$life:lifetime>)?($($arg:ident: $type:ty),* $(,)?)
        -> $ret:ty $body:block)*) => {$(
        $(#[$attr])*
        #[inline(always)]
        fn $name $(<$life>)?($($arg: $type),*) -> $ret $body

        $crate::pg::function::pg_export!(@ stringify!($name) => $name);
    )*};
}

pub(crate) use pg_functions;
