//! The settings `vector_ext.gpu_…`.

use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting, PostgresGucEnum};

/// Values of the setting `vector_ext.gpu_build`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PostgresGucEnum)]
pub enum GpuBuild {
    /// On a GPU where there is one and it helps.
    #[name = c"auto"]
    Auto,
    /// Never on a GPU.
    #[name = c"off"]
    Off,
    /// On a GPU, or not at all.
    #[name = c"on"]
    On,
    /// As on a GPU, by the CPU.
    #[name = c"emulate"]
    Emulate,
}

/// Megabytes that fit 63 bits of bytes.
const MOST_MEGABYTES: i32 = i32::MAX;

/// `Off` by default as long as the kernels have not run on a GPU.
static GPU_BUILD: GucSetting<GpuBuild> = GucSetting::<GpuBuild>::new(GpuBuild::Off);
static GPU_DEVICE: GucSetting<i32> = GucSetting::<i32>::new(0);
static GPU_MEMORY_LIMIT: GucSetting<i32> = GucSetting::<i32>::new(0);
static GPU_MIN_ROWS: GucSetting<i32> = GucSetting::<i32>::new(50_000);

/// What a build is asked to use.
pub fn gpu_build() -> GpuBuild {
    GPU_BUILD.get()
}

/// The number of the GPU that builds use.
pub fn device() -> u32 {
    u32::try_from(GPU_DEVICE.get()).unwrap_or(0)
}

/// Bytes of its memory that a build may use, if that is limited.
pub fn memory_limit() -> Option<u64> {
    let megabytes = u64::try_from(GPU_MEMORY_LIMIT.get()).unwrap_or(0);
    Some(megabytes << 20).filter(|&bytes| bytes > 0)
}

/// Rows from which on a build uses a GPU of its own accord.
pub fn min_rows() -> usize {
    usize::try_from(GPU_MIN_ROWS.get()).unwrap_or(0)
}

/// Makes the settings known.
pub fn register() {
    GucRegistry::define_enum_guc(
        c"vector_ext.gpu_build",
        c"Sets whether indexes are built on a GPU.",
        c"\"auto\" uses one if there is one and the table is large, \"on\" fails if that is not \
          possible, \"emulate\" makes the same computations on the CPU.",
        &GPU_BUILD,
        GucContext::Userset,
        GucFlags::empty(),
    );
    GucRegistry::define_int_guc(
        c"vector_ext.gpu_device",
        c"Sets the number of the GPU that builds use.",
        c"GPUs are numbered as the driver numbers them, from 0.",
        &GPU_DEVICE,
        0,
        1023,
        GucContext::Suset,
        GucFlags::empty(),
    );
    GucRegistry::define_int_guc(
        c"vector_ext.gpu_memory_limit",
        c"Sets the memory of the GPU that a build may use.",
        c"0 is no limit but the memory that is free.",
        &GPU_MEMORY_LIMIT,
        0,
        MOST_MEGABYTES,
        GucContext::Suset,
        GucFlags::UNIT_MB,
    );
    GucRegistry::define_int_guc(
        c"vector_ext.gpu_min_rows",
        c"Sets the number of rows from which builds use a GPU.",
        c"It counts if vector_ext.gpu_build is \"auto\".",
        &GPU_MIN_ROWS,
        0,
        i32::MAX,
        GucContext::Userset,
        GucFlags::empty(),
    );
}
