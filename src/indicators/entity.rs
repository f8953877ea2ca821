//! What indicators are computed over: an entity's columns and the dimensions that it may be cut by.

use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::{Expr, cast};

use super::expression::Reader;
use crate::declarations::{Problems, Spanned};
use crate::domain::language::Text;
use crate::warehouse::models::{Model, RawModel};

/// One entity: a model of `sql/models`, or the built-in entity of runs.
#[derive(Debug, Clone)]
pub struct Entity {
    pub(super) name: String,
    pub(super) columns: SchemaRef,
    /// Columns of the model's key.
    pub(super) key: Vec<String>,
    /// The DATE column whose month is the partition.
    pub(super) month: Option<String>,
    pub(super) dimensions: Vec<Dimension>,
}

impl Entity {
    /// Name of the entity, which is also its name in SQL.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Columns of the entity.
    #[must_use]
    pub fn columns(&self) -> &SchemaRef {
        &self.columns
    }

    /// What the entity may be cut by, in the order of its declaration.
    #[must_use]
    pub fn dimensions(&self) -> &[Dimension] {
        &self.dimensions
    }

    /// One dimension.
    #[must_use]
    pub fn dimension(&self, name: &str) -> Option<&Dimension> {
        self.dimensions.iter().find(|dimension| dimension.name == name)
    }
}

/// Something that an entity may be cut by.
#[derive(Debug, Clone)]
pub struct Dimension {
    pub(super) name: String,
    pub(super) title: Text,
    pub(super) list: Option<String>,
    pub(super) expr: Expr,
    pub(super) data_type: DataType,
}

impl Dimension {
    /// Name of the dimension, as a query gives it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Name for people.
    #[must_use]
    pub fn title(&self) -> &Text {
        &self.title
    }

    /// The code list of its values, where there is one.
    #[must_use]
    pub fn list(&self) -> Option<&str> {
        self.list.as_deref()
    }

    /// The dimension's value as text, to compare with codes.
    pub(super) fn text(&self) -> Expr {
        match self.data_type {
            DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => self.expr.clone(),
            _ => cast(self.expr.clone(), DataType::Utf8),
        }
    }
}

/// The entities of all models, with every dimension's expression read and typed, and the built-in one last.
///
/// # Errors
/// Every problem of a dimension, at its place in the model's file.
pub(super) fn entities_of(context: &SessionContext, models: &[Model]) -> Result<Vec<Arc<Entity>>, Problems> {
    let mut problems = Problems::new();
    let mut entities = Vec::with_capacity(models.len() + 1);
    for model in models.iter().filter(|model| !model.is_builtin()) {
        entities.extend(problems.keep(entity_of(context, model)).map(Arc::new));
    }
    entities.extend(problems.keep(entity_of(context, &Model::runs())).map(Arc::new));
    problems.into_result(entities)
}

fn entity_of(context: &SessionContext, model: &Model) -> Result<Entity, Problems> {
    let reader = Reader::of_entity(context, &model.columns);
    let places = if model.is_builtin() { Vec::new() } else { model.source.parse::<RawModel>()?.dimensions };
    let mut problems = Problems::new();
    let mut dimensions = Vec::with_capacity(model.dimensions.len());
    for (position, declared) in model.dimensions.iter().enumerate() {
        let place = places.get(position);
        let typed = match (place.and_then(|place| place.expr.as_ref()), &declared.expr) {
            (Some(expr), _) => reader.read(&model.source, expr),
            (None, Some(expr)) => reader.read(&model.source, &Spanned::nowhere(expr.clone())),
            (None, None) => {
                let name = place.map_or_else(|| Spanned::nowhere(declared.name.clone()), |place| place.name.clone());
                reader.read_column(&model.source, &name)
            }
        };
        match typed {
            Ok(typed) => dimensions.push(Dimension {
                name: declared.name.clone(),
                title: declared.title.clone(),
                list: declared.list.clone(),
                expr: typed.expr,
                data_type: typed.data_type,
            }),
            Err(problem) => problems.push(problem),
        }
    }
    problems.into_result(Entity {
        name: model.name.clone(),
        columns: Arc::clone(&model.columns),
        key: model.key.clone(),
        month: Some(model.month.clone()),
        dimensions,
    })
}
