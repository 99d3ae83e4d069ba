//! The setting `vector_ext.instruction_set`.

use kernels::Level;
use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting, PgSqlErrorCode, PostgresGucEnum};

use crate::pg::error::Report;

/// Values of the setting.
#[derive(Clone, Copy, Debug, PostgresGucEnum)]
enum InstructionSet {
    /// The widest that the CPU has.
    #[name = c"auto"]
    Auto,
    #[name = c"scalar"]
    Scalar,
    #[name = c"avx2"]
    Avx2,
    #[name = c"avx512"]
    Avx512,
    #[name = c"neon"]
    Neon,
}

static INSTRUCTION_SET: GucSetting<InstructionSet> =
    GucSetting::<InstructionSet>::new(InstructionSet::Auto);

/// Makes the setting known, and uses the instruction set that it asks for, before any distance is
/// computed.
pub fn init() {
    GucRegistry::define_enum_guc(
        c"vector_ext.instruction_set",
        c"Sets the instruction set that computes distances.",
        c"\"auto\" is the widest that the CPU has; others are for tests.",
        &INSTRUCTION_SET,
        GucContext::SuBackend,
        GucFlags::empty(),
    );
    let asked = match INSTRUCTION_SET.get() {
        InstructionSet::Auto => return,
        InstructionSet::Scalar => Level::Scalar,
        InstructionSet::Avx2 => Level::Avx2,
        InstructionSet::Avx512 => Level::Avx512,
        InstructionSet::Neon => Level::Neon,
    };
    if !kernels::choose(asked) {
        Report::new(
            PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED,
            format!("this CPU does not have the instruction set {asked}"),
        )
        .detail(format!("Distances are computed with {}.", kernels::level()))
        .hint("Set vector_ext.instruction_set to \"auto\".")
        .warn();
    }
}
