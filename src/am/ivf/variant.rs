//! What `ivf` and `ivfflat` differ in.

use super::options;
use super::settings::{self, Settings};
use crate::am::parameters::Parameters;

/// One of the two access methods.
pub trait Variant: 'static {
    /// Its name.
    const NAME: &'static str;
    /// Whether indexes are measured, so that `probes` needs no setting.
    const MEASURED: bool;

    /// Its storage parameters.
    fn parameters() -> &'static Parameters;
    /// Its settings at this moment.
    fn settings() -> Settings;
}

/// `ivf`: codes, and lists and probes that need no setting.
pub struct Ivf;

impl Variant for Ivf {
    const NAME: &'static str = "ivf";
    const MEASURED: bool = true;

    fn parameters() -> &'static Parameters {
        &options::IVF
    }

    fn settings() -> Settings {
        settings::ivf()
    }
}

/// `ivfflat`: with pgvector's options, settings and defaults.
pub struct IvfFlat;

impl Variant for IvfFlat {
    const NAME: &'static str = "ivfflat";
    const MEASURED: bool = false;

    fn parameters() -> &'static Parameters {
        &options::IVFFLAT
    }

    fn settings() -> Settings {
        settings::ivfflat()
    }
}
