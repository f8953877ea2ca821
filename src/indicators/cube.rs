//! The semantic layer as a data model of Cube, for tools that read it: cubes, dimensions and measures with SQL of `DuckDB`.
//!
//! A cube is an entity; it reads the table of its name, which `warehouse.duckdb` has, as it has the function `working_days`. A measure is an indicator under its identifier,
//! and the measures that it is made of stand beside it as `INDICATOR__MEASURE`, not public. What the format has no word for
//! goes along in `meta`: the English texts, additivity, unit, direction, edition, the date that cuts time, code lists.

use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Column, DFSchema, DataFusionError, Result, TableReference};
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, Operator};
use datafusion::sql::unparser::Unparser;
use datafusion::sql::unparser::dialect::DuckDBDialect;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::catalog::Catalog;
use super::entity::{Dimension, Entity};
use super::expression::{MOMENT, TODAY, guard_division};
use super::indicator::{Indicator, Measure, Way};

/// What a cube calls itself in SQL, and what stands there until the SQL is written.
const CUBE: &str = "CUBE";

/// The schema of the tables of entities in `warehouse.duckdb`.
const ENTITY_SCHEMA: &str = "entity";

/// A data model of Cube.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CubeModel {
    /// One per entity that an indicator is about.
    pub cubes: Vec<Cube>,
}

/// One entity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cube {
    /// Name of the entity.
    pub name: String,
    /// Name of its table.
    pub sql_table: String,
    /// Its dimensions, its key and the dates that cut time.
    pub dimensions: Vec<CubeDimension>,
    /// The indicators, each after the measures that it is made of.
    pub measures: Vec<CubeMeasure>,
}

/// Something that a cube may be cut by.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CubeDimension {
    /// Name in queries.
    pub name: String,
    /// Name for people, in Russian.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its value.
    pub sql: String,
    /// `string`, `number`, `boolean` or `time`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Whether it belongs to the key of the entity.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub primary_key: bool,
    /// Whether others see it: a key that is no dimension is only for joins.
    pub public: bool,
    /// What the format has no word for.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}

/// An indicator, or a measure that it is made of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CubeMeasure {
    /// Name in queries.
    pub name: String,
    /// Name for people, in Russian.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it says, in Russian.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What is put together, or the whole expression where the type is `number`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sql: Option<String>,
    /// How rows are put together.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Which rows count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<CubeFilter>,
    /// Whether others see it.
    pub public: bool,
    /// What the format has no word for.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
}

/// A condition over the rows of a cube.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CubeFilter {
    /// The condition.
    pub sql: String,
}

/// The semantic layer of a catalogue as a data model of Cube.
///
/// # Errors
/// If an expression has no form in SQL of `DuckDB`.
pub fn cube_model(catalog: &Catalog) -> Result<CubeModel> {
    let mut cubes = Vec::new();
    for entity in catalog.entities() {
        let indicators: Vec<&Indicator> =
            catalog.iter().filter(|indicator| indicator.entity().name() == entity.name()).collect();
        if indicators.is_empty() {
            continue;
        }
        let mut measures = Vec::new();
        for indicator in &indicators {
            measures.extend(measures_of(indicator)?);
        }
        let name = entity.name().to_owned();
        cubes.push(Cube {
            sql_table: format!("{ENTITY_SCHEMA}.{name}"),
            name,
            dimensions: dimensions_of(entity, &indicators)?,
            measures,
        });
    }
    Ok(CubeModel { cubes })
}

fn dimensions_of(entity: &Entity, indicators: &[&Indicator]) -> Result<Vec<CubeDimension>> {
    let mut dimensions = Vec::new();
    for dimension in entity.dimensions() {
        dimensions.push(dimension_of(entity, dimension)?);
    }
    let column = |name: &str, kind: &'static str, primary_key: bool| -> Result<CubeDimension> {
        let sql = text_of(&Expr::Column(Column::from_name(name)))?;
        // Cube counts time in moments.
        let sql = if kind == "time" { format!("CAST({sql} AS TIMESTAMP)") } else { sql };
        let public = !primary_key;
        Ok(CubeDimension { name: name.to_owned(), title: None, sql, kind, primary_key, public, meta: Map::new() })
    };
    for name in &entity.key {
        if entity.dimension(name).is_none() {
            dimensions.push(column(name, kind_of(entity, name), true)?);
        }
    }
    for indicator in indicators {
        if dimensions.iter().all(|known| known.name != indicator.time()) {
            dimensions.push(column(indicator.time(), "time", false)?);
        }
    }
    Ok(dimensions)
}

fn dimension_of(entity: &Entity, dimension: &Dimension) -> Result<CubeDimension> {
    let mut meta = Map::new();
    meta.insert("title_en".to_owned(), json!(dimension.title().en));
    if let Some(list) = dimension.list() {
        meta.insert("code_list".to_owned(), json!(list));
    }
    Ok(CubeDimension {
        name: dimension.name().to_owned(),
        title: Some(dimension.title().ru.clone()),
        sql: sql_of(entity, &dimension.expr)?,
        kind: kind_of_type(&dimension.data_type),
        primary_key: entity.key.iter().any(|name| name == dimension.name()),
        public: true,
        meta,
    })
}

fn kind_of(entity: &Entity, column: &str) -> &'static str {
    entity.columns().field_with_name(column).map_or("string", |field| kind_of_type(field.data_type()))
}

fn kind_of_type(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Boolean => "boolean",
        DataType::Date32 | DataType::Timestamp(..) => "time",
        other if other.is_numeric() => "number",
        _ => "string",
    }
}

/// The measures that an indicator is made of, and the indicator itself.
fn measures_of(indicator: &Indicator) -> Result<Vec<CubeMeasure>> {
    let part = |measure: &Measure| format!("{}__{}", indicator.id(), measure.name());
    let Some(formula) = indicator.formula() else {
        let [measure] = indicator.measures() else { return Ok(Vec::new()) };
        return Ok(vec![public(indicator, measure_of(indicator, measure)?)]);
    };
    let mut measures = Vec::with_capacity(indicator.measures().len() + 1);
    for measure in indicator.measures() {
        measures.push(CubeMeasure { name: part(measure), public: false, ..measure_of(indicator, measure)? });
    }
    let fields: Vec<Field> =
        indicator.measures().iter().map(|measure| Field::new(measure.name(), DataType::Float64, true)).collect();
    let expr = SessionContext::new().parse_sql_expr(formula, &DFSchema::try_from(Schema::new(fields))?)?.unalias();
    let guarded = expr.transform_up(|part| Ok(guard_division(part))).data()?;
    let mut sql = text_of(&guarded)?;
    for measure in indicator.measures() {
        sql = sql.replace(&format!("{{{CUBE}}}.\"{}\"", measure.name()), &format!("{{{}}}", part(measure)));
    }
    let value = CubeMeasure {
        name: String::new(),
        title: None,
        description: None,
        sql: Some(sql),
        kind: "number",
        filters: Vec::new(),
        public: true,
        meta: Map::new(),
    };
    measures.push(public(indicator, value));
    Ok(measures)
}

/// A measure under the name of its indicator, with all that there is to know of it.
fn public(indicator: &Indicator, measure: CubeMeasure) -> CubeMeasure {
    let mut meta = measure.meta;
    let known = json!({
        "title_en": indicator.title().en,
        "description_en": indicator.description().en,
        "additivity": indicator.additivity(),
        "okei": indicator.unit(),
        "decimals": indicator.decimals(),
        "direction": indicator.direction(),
        "edition": indicator.edition(),
        "time": indicator.time(),
    });
    meta.extend(known.as_object().cloned().unwrap_or_default());
    if !indicator.requires().is_empty() {
        meta.insert("requires".to_owned(), json!(indicator.requires()));
    }
    CubeMeasure {
        name: indicator.id().to_owned(),
        title: Some(indicator.title().ru.clone()),
        description: Some(indicator.description().ru.clone()),
        public: true,
        meta,
        ..measure
    }
}

fn measure_of(indicator: &Indicator, measure: &Measure) -> Result<CubeMeasure> {
    let sql_of = |expr: &Expr| sql_of(indicator.entity(), expr);
    let mut filters = Vec::new();
    for condition in indicator.condition.iter().chain(&measure.condition) {
        filters.push(CubeFilter { sql: sql_of(condition)? });
    }
    let mut meta = Map::new();
    meta.insert("additivity".to_owned(), json!(measure.additivity()));
    let time = text_of(&Expr::Column(Column::from_name(indicator.time())))?;
    let only = |value: &str, filters: &[CubeFilter]| match filters {
        [] => value.to_owned(),
        filters => {
            let all = filters.iter().map(|filter| format!("({})", filter.sql)).collect::<Vec<_>>().join(" AND ");
            format!("{value} FILTER (WHERE {all})")
        }
    };
    let (kind, sql, filters) = match &measure.way {
        Way::Count => ("count", None, filters),
        Way::Sum { value, .. } => ("sum", Some(sql_of(value)?), filters),
        Way::Distinct(value) => ("count_distinct", Some(sql_of(value)?), filters),
        Way::Mean { value, .. } => ("avg", Some(sql_of(value)?), filters),
        Way::Min(value) => ("min", Some(sql_of(value)?), filters),
        Way::Max(value) => ("max", Some(sql_of(value)?), filters),
        // The format has no type for these three: the whole aggregate is the expression.
        Way::Median(value) => ("number", Some(only(&format!("median({})", sql_of(value)?), &filters)), Vec::new()),
        Way::Percentile { value, at } => {
            let percentile = format!("quantile_cont({}, {at})", sql_of(value)?);
            ("number", Some(only(&percentile, &filters)), Vec::new())
        }
        Way::Last(value) => {
            let value = sql_of(value)?;
            let last = format!("last({value} ORDER BY {time} NULLS FIRST, {value} NULLS FIRST)");
            ("number", Some(only(&last, &filters)), Vec::new())
        }
        Way::Stock { from, until } => {
            let [opened, closed] = [from, until].map(|name| text_of(&Expr::Column(Column::from_name(name))));
            let (opened, closed) = (opened?, closed?);
            filters.push(CubeFilter { sql: format!("{opened} <= CURRENT_DATE") });
            filters
                .push(CubeFilter { sql: format!("({closed} IS NULL OR greatest({closed}, {opened}) > CURRENT_DATE)") });
            meta.insert("opened".to_owned(), json!(from));
            meta.insert("closed".to_owned(), json!(until));
            ("count", None, filters)
        }
    };
    let name = measure.name().to_owned();
    Ok(CubeMeasure { name, title: None, description: None, sql, kind, filters, public: true, meta })
}

/// An expression over the columns of an entity as SQL of `DuckDB`.
fn sql_of(entity: &Entity, expr: &Expr) -> Result<String> {
    let schema = DFSchema::try_from(entity.columns().as_ref().clone())?;
    let is_whole = |expr: &Expr| expr.get_type(&schema).is_ok_and(|data_type| data_type.is_integer());
    let divides_whole = |part: &Expr| match part {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Divide, right }) => is_whole(left) && is_whole(right),
        _ => false,
    };
    if expr.exists(|part| Ok(divides_whole(part)))? {
        let text =
            format!("a division of whole numbers, `{expr}`: `DuckDB` gives a fraction there; write `a * 1.0 / b`");
        return Err(DataFusionError::NotImplemented(text));
    }
    text_of(expr)
}

/// An expression as SQL of `DuckDB` in which no division is one of whole numbers.
fn text_of(expr: &Expr) -> Result<String> {
    let of_cube = expr.clone().transform_up(|part| {
        Ok(match part {
            Expr::Column(column) if ![TODAY, MOMENT].contains(&column.name.as_str()) => {
                Transformed::yes(Expr::Column(Column::new(Some(TableReference::bare(CUBE)), column.name)))
            }
            other => Transformed::no(other),
        })
    });
    let sql = Unparser::new(&DuckDBDialect::new()).expr_to_sql(&of_cube.data()?)?.to_string();
    if sql.contains(['{', '}']) {
        return Err(DataFusionError::NotImplemented(format!("braces in an expression: {sql}")));
    }
    Ok(sql
        // The dialect takes every division for one of whole numbers.
        .replace(" // ", " / ")
        .replace(&format!("\"{CUBE}\"."), &format!("{{{CUBE}}}."))
        .replace(&format!("\"{TODAY}\""), "CURRENT_DATE")
        .replace(&format!("\"{MOMENT}\""), "make_timestamp(epoch_us(now()))"))
}
