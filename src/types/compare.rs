//! Order of vectors of numbers: by the first dimension that differs, then by their number. -0 equals 0.

use super::numbers::{Numbers, for_each_number_type};
use crate::pg::function::pg_export;

macro_rules! export {
    ($type:literal, $vector:ty) => {
        pg_export! { $type:
            lt => |a: $vector, b: $vector| a.compare(&b).is_lt();
            le => |a: $vector, b: $vector| a.compare(&b).is_le();
            eq => |a: $vector, b: $vector| a.compare(&b).is_eq();
            ne => |a: $vector, b: $vector| a.compare(&b).is_ne();
            ge => |a: $vector, b: $vector| a.compare(&b).is_ge();
            gt => |a: $vector, b: $vector| a.compare(&b).is_gt();
            cmp => |a: $vector, b: $vector| a.compare(&b) as i32;
        }
    };
}
for_each_number_type!(export);
