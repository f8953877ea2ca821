//! The municipalities of a region: how many people ask for support there, and how quickly they are served.

use super::dice::{Dice, Weights, fixed_number};
use super::lists::{List, read_list};
use super::{GenerateError, Region};

/// Of a city with districts, so many percent of the people are served by the city itself.
const SERVED_BY_CITY_PERCENT: u64 = 6;

/// One municipality or city district.
#[derive(Debug, Clone)]
pub(super) struct Municipality {
    /// OKTMO, eight digits.
    pub(super) code: String,
    /// Name in Russian.
    pub(super) name: String,
    /// Lags in thousandths of the usual ones: under 1000 is quicker.
    pub(super) pace: u32,
    /// Share of its people among the region's, in millionths.
    pub(super) share: u32,
}

/// The municipalities of one region, with how likely each is.
#[derive(Debug, Clone)]
pub(super) struct Territory {
    /// All of them, in the order of the list.
    pub(super) municipalities: Vec<Municipality>,
    weights: Weights,
}

impl Territory {
    /// Reads the municipalities of a region from the project's list.
    ///
    /// # Errors
    /// [`GenerateError::List`] if the list cannot be read or has nothing for the region.
    pub(super) fn load(region: Region) -> Result<Self, GenerateError> {
        let rows = read_list(List::Municipalities, &["code", "name_ru", "population", "kind"])?;
        let people: Vec<(String, String, u64)> = rows
            .into_iter()
            .filter(|row| row[0].starts_with(region.prefix()) && is_in_force(&row[0]))
            .map(|row| (row[0].clone(), row[1].clone(), row[2].parse().unwrap_or_default()))
            .collect();
        let weights: Vec<u64> = people.iter().map(|place| weight(place, &people)).collect();
        let total: u64 = weights.iter().sum();
        if total == 0 {
            let problem = format!("there are no people in `{}`", region.code());
            return Err(GenerateError::List { list: List::Municipalities, problem });
        }
        let municipalities: Vec<Municipality> = people
            .into_iter()
            .zip(weights)
            .map(|((code, name, _), weight)| Municipality {
                pace: 780 + fixed_number(&code) % 481,
                share: u32::try_from(weight * 1_000_000 / total).unwrap_or_default().max(1),
                code,
                name,
            })
            .collect();
        let weights = Weights::new(municipalities.iter().map(|municipality| municipality.share));
        Ok(Self { municipalities, weights })
    }

    /// Position of a municipality, as likely as its people are many.
    pub(super) fn pick(&self, dice: &mut Dice) -> usize {
        dice.weighted(&self.weights)
    }
}

/// Gatchina became a municipal okrug with a code of its own; registers of today write the present one.
fn is_in_force(code: &str) -> bool {
    code != "41618000" && !code.ends_with("000000")
}

/// A city's people are divided among its districts, whose own numbers are taken as shares only.
fn weight((code, _, population): &(String, String, u64), all: &[(String, String, u64)]) -> u64 {
    let city_of = |code: &str| code.chars().take(5).collect::<String>() + "000";
    let districts = |city: &str| -> u64 {
        all.iter().filter(|(code, _, _)| code != city && city_of(code) == city).map(|(_, _, people)| people).sum()
    };
    let need = u64::from(850 + fixed_number(code).rotate_left(7) % 301);
    let city = city_of(code);
    let people_of_city = all.iter().find(|(other, _, _)| *other == city && city != *code).map(|(_, _, people)| *people);
    let people = match (people_of_city, districts(code)) {
        (Some(of_city), _) => population * of_city * (100 - SERVED_BY_CITY_PERCENT) / (100 * districts(&city).max(1)),
        (None, 0) => *population,
        (None, _) => population * SERVED_BY_CITY_PERCENT / 100,
    };
    people * need
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_regions_have_all_their_municipalities() {
        assert_eq!(Territory::load(Region::Samara).unwrap().municipalities.len(), 46);
        assert_eq!(Territory::load(Region::Leningrad).unwrap().municipalities.len(), 18);
    }

    #[test]
    fn a_city_and_its_districts_are_counted_once() {
        let samara = Territory::load(Region::Samara).unwrap();
        let of_city = samara.municipalities.iter().filter(|place| place.code.starts_with("36701"));
        let share: u32 = of_city.map(|place| place.share).sum();
        // About 1.16 of 3.1 million people of the oblast.
        assert!((300_000..450_000).contains(&share), "{share}");
    }

    #[test]
    fn municipalities_differ_in_pace() {
        let paces: Vec<u32> = Territory::load(Region::Samara).unwrap().municipalities.iter().map(|m| m.pace).collect();
        assert!(paces.iter().max().unwrap() - paces.iter().min().unwrap() > 300, "{paces:?}");
    }
}
