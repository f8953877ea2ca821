//! How the files of a pipeline are written: the declaration of a format, and its check.

use encoding_rs::Encoding;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::declaration::RawColumn;
use super::formats::csv::CsvOptions;
use super::formats::xlsx::{Sheet, XlsxOptions};
use super::formats::xml::XmlOptions;
use crate::declarations::{Problems, Source, Spanned};

/// How the files are written: exactly one of the formats.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RawFormat {
    /// Rows of fields with a separator.
    Csv(RawCsv),
    /// One JSON object per line. `from` of a column is a key, or a path into nested objects, e.g. `applicant.snils`.
    Ndjson(RawNdjson),
    /// One JSON document with a list of objects. `from` of a column is a key, or a path into nested objects, e.g. `applicant.snils`.
    Json(RawJson),
    /// One XML document with repeated elements. `from` of a column is a path from the row's element: `Applicant/Snils`, `@id`, `../@region`.
    Xml(RawXml),
    /// A sheet of an Excel workbook (`.xlsx`).
    Xlsx(RawXlsx),
    /// Apache Parquet.
    Parquet(RawParquet),
}

/// Details of a CSV file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawCsv {
    /// Character between fields, or `tab`; `,` if absent.
    pub separator: Spanned<String>,
    /// Encoding by its WHATWG name, e.g. `windows-1251`, `ibm866`, `koi8-r`, `utf-16le`; `utf-8` if absent. A byte-order mark wins.
    pub encoding: Spanned<String>,
    /// Lines before the header that say something else, e.g. the name of the report.
    pub skip_lines: u32,
    /// Whether the first row names the columns. If not, `from` is the number of a column, counted from 1.
    pub header: bool,
    /// Rows whose first value begins with one of these texts are no rows of the register, e.g. `Итого`, wherever they stand.
    pub skip_rows: Vec<Spanned<String>>,
    /// Whether numbers are written `1 234,50`.
    pub decimal_comma: bool,
    /// Character around fields that contain separators or line breaks; null: none.
    pub quote: Option<Spanned<String>>,
}

impl Default for RawCsv {
    fn default() -> Self {
        Self {
            separator: Spanned::nowhere(",".to_owned()),
            encoding: Spanned::nowhere("utf-8".to_owned()),
            skip_lines: 0,
            header: true,
            skip_rows: Vec::new(),
            decimal_comma: false,
            quote: Some(Spanned::nowhere("\"".to_owned())),
        }
    }
}

/// Details of an NDJSON file.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawNdjson {
    /// Whether numbers inside texts are written `1 234,50`.
    #[serde(default)]
    pub decimal_comma: bool,
}

/// Details of a JSON document.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawJson {
    /// Keys that lead to the list of objects, with dots between them, e.g. `data.items`; if absent, the document itself is the list.
    pub rows: Option<Spanned<String>>,
    /// Whether numbers inside texts are written `1 234,50`.
    #[serde(default)]
    pub decimal_comma: bool,
}

/// Details of an XML document. Its encoding is the one that it names itself.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawXml {
    /// Path of the elements that are rows, from the root of the document, e.g. `/s:Envelope/s:Body/Cases/Case`. `*` is any element.
    pub row: Spanned<String>,
    /// Prefixes of this declaration and the namespaces that they mean. A name without a prefix is found in every namespace.
    #[serde(default)]
    pub namespaces: IndexMap<String, Spanned<String>>,
    /// Whether numbers are written `1 234,50`.
    #[serde(default)]
    pub decimal_comma: bool,
}

/// Details of a workbook.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawXlsx {
    /// Name of the sheet, or its number from 1; the first one if absent.
    pub sheet: Option<Spanned<RawSheet>>,
    /// Number of the row where the header begins, as Excel shows it; 1 if absent.
    pub header_row: Option<Spanned<u32>>,
    /// Rows that the header takes; 1 if absent. The texts of several rows are joined: a cell over two columns makes `Период / с` and `Период / по`.
    pub header_rows: Option<Spanned<u32>>,
    /// Rows whose first value begins with one of these texts are no rows of the register, e.g. `Итого`, wherever they stand.
    pub skip_rows: Vec<Spanned<String>>,
    /// Whether numbers typed as text are written `1 234,50`.
    pub decimal_comma: bool,
}

/// A sheet by its name or number.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RawSheet {
    /// Its number, from 1.
    Number(u32),
    /// Its name.
    Name(String),
}

/// Details of a Parquet file.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawParquet {}

/// How the files are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// Rows of fields.
    Csv(CsvOptions),
    /// One JSON object per line.
    Ndjson,
    /// One JSON document.
    Json {
        /// Keys that lead to the list of rows.
        rows: Option<String>,
    },
    /// One XML document.
    Xml(XmlOptions),
    /// A sheet of a workbook.
    Xlsx(XlsxOptions),
    /// Apache Parquet.
    Parquet,
}

impl RawFormat {
    /// Whether numbers have a decimal comma.
    #[must_use]
    pub fn decimal_comma(&self) -> bool {
        match self {
            Self::Csv(csv) => csv.decimal_comma,
            Self::Ndjson(ndjson) => ndjson.decimal_comma,
            Self::Json(json) => json.decimal_comma,
            Self::Xml(xml) => xml.decimal_comma,
            Self::Xlsx(xlsx) => xlsx.decimal_comma,
            Self::Parquet(_) => false,
        }
    }

    /// The checked format; what is wrong with it, and with the names of the columns in it, goes to `problems`.
    pub(super) fn check(&self, source: &Source, columns: &[RawColumn], problems: &mut Problems) -> Format {
        match self {
            Self::Csv(csv) => Format::Csv(csv.check(source, problems)),
            Self::Ndjson(_) => Format::Ndjson,
            Self::Json(json) => Format::Json { rows: json.check(source, problems) },
            Self::Xml(xml) => Format::Xml(xml.check(source, columns, problems)),
            Self::Xlsx(xlsx) => Format::Xlsx(xlsx.check(source, problems)),
            Self::Parquet(_) => Format::Parquet,
        }
    }
}

impl RawCsv {
    fn check(&self, source: &Source, problems: &mut Problems) -> CsvOptions {
        let mut byte = |key: &str, text: &Spanned<String>| match text.as_bytes() {
            b"tab" if key == "separator" => b'\t',
            [byte] if byte.is_ascii() && !matches!(byte, b'\r' | b'\n') => *byte,
            _ => {
                let message = format!("`{key}`: expected one ASCII character, found `{}`", **text);
                problems.push(source.problem(text, message));
                b','
            }
        };
        let separator = byte("separator", &self.separator);
        let quote = self.quote.as_ref().map(|quote| (quote, byte("quote", quote)));
        if let Some((written, byte)) = quote
            && byte == separator
            && written.line > 0
        {
            problems.push(source.problem(written, "`quote`: is the separator as well"));
        }
        let encoding = Encoding::for_label(self.encoding.as_bytes()).unwrap_or_else(|| {
            let message = format!("`encoding`: `{}` is not an encoding", *self.encoding);
            let known = ["utf-8", "windows-1251", "ibm866", "cp866", "koi8-r", "utf-16le", "utf-16be"];
            problems.push(source.problem(&self.encoding, message).suggest(&self.encoding, known));
            encoding_rs::UTF_8
        });
        CsvOptions {
            separator,
            quote: quote.map(|(_, byte)| byte),
            encoding,
            skip_lines: self.skip_lines,
            has_header: self.header,
            skip_rows: check_skip_rows(&self.skip_rows, source, problems),
        }
    }
}

impl RawJson {
    fn check(&self, source: &Source, problems: &mut Problems) -> Option<String> {
        let rows = self.rows.as_ref()?;
        if rows.split('.').any(str::is_empty) {
            let message = format!("`rows`: `{}` is not a path of keys", **rows);
            problems.push(source.problem(rows, message).help("keys with dots between them, e.g. `data.items`"));
        }
        Some(rows.value.clone())
    }
}

impl RawXml {
    fn check(&self, source: &Source, columns: &[RawColumn], problems: &mut Problems) -> XmlOptions {
        for (prefix, namespace) in &self.namespaces {
            if prefix.is_empty() || namespace.trim().is_empty() {
                let message = format!("`namespaces`: `{prefix}: {}` is not a prefix and its namespace", **namespace);
                problems.push(source.problem(namespace, message).help("e.g. `s: urn://x-artefacts-smev-gov-ru/1.1`"));
            }
        }
        let namespaces = self.namespaces.iter().map(|(prefix, uri)| (prefix.clone(), uri.value.clone())).collect();
        let options = XmlOptions { row: self.row.value.clone(), namespaces };
        match options.row_path() {
            Ok(row) => {
                for column in columns {
                    let from = column.from.as_ref().unwrap_or(&column.name);
                    if let Err(problem) = options.value_path(from, &row) {
                        problems.push(source.problem(from, format!("`from`: {problem}")));
                    }
                }
            }
            Err(problem) => problems.push(source.problem(&self.row, format!("`row`: {problem}"))),
        }
        options
    }
}

impl RawXlsx {
    fn check(&self, source: &Source, problems: &mut Problems) -> XlsxOptions {
        let mut number = |key: &str, written: Option<&Spanned<u32>>, most: u32| {
            let value = written.map_or(1, |written| written.value);
            if let Some(written) = written
                && !(1..=most).contains(&value)
            {
                problems.push(
                    source.problem(written, format!("`{key}`: expected a number from 1 to {most}, found {value}")),
                );
            }
            value.clamp(1, most)
        };
        let header_row = number("header_row", self.header_row.as_ref(), 1000);
        let header_rows = number("header_rows", self.header_rows.as_ref(), 10);
        let sheet = match self.sheet.as_ref().map(|sheet| &sheet.value) {
            None => Sheet::Number(1),
            Some(RawSheet::Number(number)) => Sheet::Number(*number),
            Some(RawSheet::Name(name)) => Sheet::Name(name.clone()),
        };
        if let (Some(written), Sheet::Number(0)) = (&self.sheet, &sheet) {
            problems.push(source.problem(written, "`sheet`: sheets are counted from 1"));
        }
        let skip_rows = check_skip_rows(&self.skip_rows, source, problems);
        XlsxOptions { sheet, header_row, header_rows, skip_rows }
    }
}

fn check_skip_rows(texts: &[Spanned<String>], source: &Source, problems: &mut Problems) -> Vec<String> {
    for text in texts.iter().filter(|text| text.trim().is_empty()) {
        problems.push(source.problem(text, "`skip_rows`: an empty text begins every row"));
    }
    texts.iter().map(|text| text.trim().to_lowercase()).collect()
}
