//! The names that a dashboard may use, gathered from indicators and code lists.

use std::collections::{BTreeMap, BTreeSet};

use crate::indicators::Catalog;
use crate::warehouse::reference::Reference;

/// Columns of a code list that say where its codes lie on a tile map.
const PLACE_COLUMNS: [&str; 3] = ["label", "col", "row"];

/// What is known of one indicator when dashboards are checked.
#[derive(Debug, Clone, Default)]
pub(super) struct IndicatorNames {
    /// Dimensions of its entity, each with the codes it may take where a code list says them.
    pub(super) dimensions: BTreeMap<String, Option<BTreeSet<String>>>,
    /// Names of its measures.
    pub(super) measures: BTreeSet<String>,
    /// Dimensions that must be cut by or fixed.
    pub(super) requires: Vec<String>,
    /// Dimensions whose code list says where each code lies on a tile map.
    pub(super) placed: BTreeSet<String>,
    /// OKEI code of its unit.
    pub(super) unit: String,
}

/// All indicators by id.
pub(super) type Vocabulary = BTreeMap<String, IndicatorNames>;

/// Every dimension that some indicator has.
pub(super) fn dimensions(vocabulary: &Vocabulary) -> BTreeSet<&str> {
    vocabulary.values().flat_map(|names| names.dimensions.keys()).map(String::as_str).collect()
}

/// The names of a catalogue.
pub(super) fn gather(catalog: &Catalog, reference: &Reference) -> Vocabulary {
    let mut vocabulary = Vocabulary::new();
    for indicator in catalog.iter() {
        let mut names = IndicatorNames {
            measures: indicator.measures().iter().map(|measure| measure.name().to_owned()).collect(),
            requires: indicator.requires().to_vec(),
            unit: indicator.unit().to_owned(),
            ..IndicatorNames::default()
        };
        for dimension in indicator.entity().dimensions() {
            let name = dimension.name().to_owned();
            let list = dimension.list().and_then(|list| reference.list(list));
            if list.is_some_and(|list| PLACE_COLUMNS.iter().all(|column| list.column(column).is_some())) {
                names.placed.insert(name.clone());
            }
            names.dimensions.insert(name, list.map(|list| list.codes().iter().cloned().collect()));
        }
        vocabulary.insert(indicator.id().to_owned(), names);
    }
    vocabulary
}
