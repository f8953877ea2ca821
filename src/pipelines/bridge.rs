//! Polars columns as Arrow arrays and back without copying, over the Arrow C data interface.

use arrow::array::{Array, ArrayRef, make_array};
use polars::prelude::{CompatLevel, PlSmallStr, PolarsResult, Series};

/// Why a column could not cross.
#[derive(Debug, thiserror::Error)]
#[error("the column `{column}` cannot be handed to Arrow")]
pub struct BridgeError {
    column: String,
    #[source]
    cause: arrow::error::ArrowError,
}

/// A Polars column as one Arrow array; text becomes `Utf8View`.
///
/// # Errors
/// [`BridgeError`], if the type is not known to Arrow.
pub fn to_arrow(series: &Series) -> Result<ArrayRef, BridgeError> {
    let series = series.rechunk();
    let field = series.field().to_arrow(CompatLevel::newest());
    let data = exchange::give(series.to_arrow(0, CompatLevel::newest()), &field);
    data.map(make_array).map_err(|cause| BridgeError { column: series.name().to_string(), cause })
}

/// An Arrow array as a Polars column.
///
/// # Errors
/// If Polars does not know the type.
pub fn to_polars(name: &str, array: &ArrayRef) -> PolarsResult<Series> {
    let array = exchange::take(&array.to_data())?;
    Series::try_from((PlSmallStr::from(name), array))
}

/// The crossing itself.
///
/// `ArrowArray` and `ArrowSchema` of Polars and of Arrow are the `#[repr(C)]` structs that the C data interface prescribes, so a pointer
/// to one is a pointer to the other. An array is moved, never copied: what remains behind is marked as released.
#[expect(unsafe_code, reason = "the C data interface hands over pointers, and both ends of it are in this module")]
mod exchange {
    use arrow::array::ArrayData;
    use arrow::error::ArrowError;
    use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};
    use polars::error::{PolarsResult, polars_err};
    use polars_arrow::array::Array;
    use polars_arrow::datatypes::Field;
    use polars_arrow::ffi::{
        ArrowArray, ArrowSchema, export_array_to_c, export_field_to_c, import_array_from_c, import_field_from_c,
    };

    /// Polars → Arrow.
    pub(super) fn give(array: Box<dyn Array>, field: &Field) -> Result<ArrayData, ArrowError> {
        let mut array = export_array_to_c(array);
        let mut schema = export_field_to_c(field);
        // SAFETY: both pointers are valid, and `from_raw` leaves released structs behind, whose `Drop` does nothing.
        let (array, schema) = unsafe {
            (
                FFI_ArrowArray::from_raw((&raw mut array).cast::<FFI_ArrowArray>()),
                FFI_ArrowSchema::from_raw((&raw mut schema).cast::<FFI_ArrowSchema>()),
            )
        };
        // SAFETY: the array was just exported by Polars together with the schema.
        unsafe { from_ffi(array, &schema) }
    }

    /// Arrow → Polars.
    pub(super) fn take(data: &ArrayData) -> PolarsResult<Box<dyn Array>> {
        let (array, schema) =
            to_ffi(data).map_err(|error| polars_err!(ComputeError: "an array cannot leave Arrow: {}", error))?;
        let mut array = std::mem::ManuallyDrop::new(array);
        // SAFETY: the pointer is valid, and the array behind it is given away: it is read once and not dropped here.
        let array = unsafe { std::ptr::read((&raw mut *array).cast::<ArrowArray>()) };
        // SAFETY: the pointer is valid while `schema` lives, which is to the end of this function.
        let field = unsafe { import_field_from_c(&*(&raw const schema).cast::<ArrowSchema>()) }?;
        // SAFETY: the array was just exported by Arrow together with the schema.
        unsafe { import_array_from_c(array, field.dtype) }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::Int64Type;
    use polars::prelude::NamedFrom;

    use super::*;

    #[test]
    fn text_crosses() {
        let texts = [Some("short"), None, Some("longer than twelve bytes"), Some("")];
        let there = to_arrow(&Series::new("a".into(), texts)).unwrap();
        assert_eq!(there.as_string_view().iter().collect::<Vec<_>>(), texts);
    }

    #[test]
    fn what_went_there_comes_back() {
        use polars::prelude::{DataType, IntoSeries, TimeUnit, TimeZone};
        let texts = Series::new("a".into(), [Some("short"), None, Some("longer than twelve bytes")]);
        let numbers = Series::new("a".into(), [Some(1.5), None, Some(-0.25)]);
        let moment_type = DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
        let moments = Series::new("a".into(), [Some(0_i64), None, Some(1)]).cast(&moment_type).unwrap();
        let days = Series::new("a".into(), [Some(0_i32), None, Some(1)]).cast(&DataType::Date).unwrap();
        let truths = Series::new("a".into(), [Some(true), None, Some(false)]);
        for series in [texts, numbers, moments, days, truths.into_series()] {
            let back = to_polars("a", &to_arrow(&series).unwrap()).unwrap();
            assert_eq!(back.dtype(), series.dtype());
            assert!(back.equals_missing(&series), "{back}");
        }
    }

    #[test]
    fn a_slice_crosses_as_a_slice() {
        let series = Series::new("a".into(), [1_i64, 2, 3, 4]).slice(1, 2);
        let there = to_arrow(&series).unwrap();
        assert_eq!(there.as_primitive::<Int64Type>().values().as_ref(), [2, 3]);
    }
}
