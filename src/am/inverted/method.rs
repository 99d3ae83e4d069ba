//! What the access method is.

use super::bitmap;
use super::options::PARAMETERS;
use crate::am::handler::{self, Routine};
use crate::am::method::AccessMethod;
use crate::am::parameters::Parameters;
use crate::pg::function::pg_functions;

/// The access method `inverted`.
pub struct Method;

impl AccessMethod for Method {
    const NAME: &'static str = "inverted";
    const SUPPORT_FUNCTIONS: u16 = 1;
    const MATCHES: bool = true;

    fn parameters() -> &'static Parameters {
        &PARAMETERS
    }
}

pg_functions! {
    /// Describes the access method.
    fn invertedhandler() -> Routine {
        handler::routine::<Method>().with_bitmaps(bitmap::amgetbitmap)
    }
}
