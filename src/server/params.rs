//! Parameters of a request's query: repeated names, comma lists, and the nearest known name for a wrong one.
//!
//! Knows the form only; what a name means is for the one who takes it.

use indexmap::IndexMap;
use url::form_urlencoded;

use super::error::ApiError;

/// Names that an advice lists at most.
const MOST_NAMED: usize = 40;

/// What stands behind the `?`, in order. Empty values count as absent, since an unused field of a form sends one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Params(IndexMap<String, Vec<String>>);

/// A set of parameters that a request may carry.
pub(crate) trait FromParams: Sized {
    /// Takes what belongs to this set; anything left in `params` is answered as an unknown parameter.
    ///
    /// # Errors
    /// [`ApiError::BadParameter`], if a value cannot be read.
    fn from_params(params: &mut Params) -> Result<Self, ApiError>;

    /// Names that a user may have meant, for the hint on an unknown parameter.
    fn names() -> &'static [&'static str];
}

impl Params {
    /// Reads the text behind the `?`.
    #[must_use]
    pub(crate) fn read(query: Option<&str>) -> Self {
        let mut params = Self::default();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            let values = value.split(',').map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned);
            params.0.entry(name.into_owned()).or_default().extend(values);
        }
        params.0.retain(|_, values| !values.is_empty());
        params
    }

    /// Takes a parameter that may stand once.
    ///
    /// # Errors
    /// [`ApiError::BadParameter`], if it stands more than once.
    pub(crate) fn take_one(&mut self, name: &str) -> Result<Option<String>, ApiError> {
        let mut values = self.take_list(name);
        match values.len() {
            0 | 1 => Ok(values.pop()),
            _ => Err(ApiError::bad_parameter(name, "is given more than once")),
        }
    }

    /// Takes a parameter that may stand once and reads its value.
    ///
    /// # Errors
    /// [`ApiError::BadParameter`], if it stands more than once or `read` refuses it.
    pub(crate) fn take_as<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ApiError> {
        let value = self.take_one(name)?;
        value.map(|value| read(&value).map_err(|message| ApiError::bad_parameter(name, message))).transpose()
    }

    /// Takes all values of a parameter, repeated or with commas between them.
    pub(crate) fn take_list(&mut self, name: &str) -> Vec<String> {
        self.0.shift_remove(name).unwrap_or_default()
    }

    /// Takes everything that is left.
    pub(crate) fn take_rest(&mut self) -> IndexMap<String, Vec<String>> {
        std::mem::take(&mut self.0)
    }

    /// Refuses what is left, advising the nearest of the known names.
    ///
    /// # Errors
    /// [`ApiError::BadParameter`], naming the first that is left.
    pub(crate) fn refuse_rest(&self, known: &[&str]) -> Result<(), ApiError> {
        self.0.keys().next().map_or(Ok(()), |name| Err(unknown_parameter(name, known.iter().copied())))
    }
}

/// The error for a parameter that nobody knows, with the nearest known name.
pub(crate) fn unknown_parameter<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> ApiError {
    ApiError::bad_parameter(name, format!("is unknown; {}", advise(name, known)))
}

/// `did you mean …?`, or all that is known where nothing is near.
pub(crate) fn advise<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let mut known: Vec<&str> = known.into_iter().collect();
    known.sort_unstable();
    known.dedup();
    let nearest = known
        .iter()
        .map(|name| (strsim::jaro_winkler(wrong, name), *name))
        .filter(|(similarity, _)| *similarity > 0.8)
        .max_by(|one, other| one.0.total_cmp(&other.0));
    match nearest {
        Some((_, name)) => format!("did you mean `{name}`?"),
        None if known.is_empty() => "there are none".to_owned(),
        None if known.len() > MOST_NAMED => format!("none of the {} known is like it", known.len()),
        None => format!("known: {}", known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_come_repeated_or_with_commas() {
        let mut params = Params::read(Some("by=a,b&by=c&region=&grain=month&name=%D0%BE"));
        assert_eq!(params.take_list("by"), ["a", "b", "c"]);
        assert_eq!(params.take_one("region").unwrap(), None);
        assert_eq!(params.take_one("name").unwrap().as_deref(), Some("о"));
        assert!(params.refuse_rest(&[]).is_err());
        assert_eq!(params.take_rest().len(), 1);
        assert!(Params::read(Some("grain=day,month")).take_one("grain").is_err());
    }

    #[test]
    fn a_wrong_name_gets_the_nearest() {
        assert_eq!(advise("grian", ["grain", "from"]), "did you mean `grain`?");
        assert_eq!(advise("zzz", ["to", "from"]), "known: `from`, `to`");
    }
}
