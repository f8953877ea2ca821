//! The shipped calendar against the crate `holidays-ru`, day by day.

use chrono::{Datelike, NaiveDate};
use holidays_ru::{Federal, flags_ymd};
use svod::domain::calendar::DayKind;
use svod::warehouse::Reference;

use crate::support::project_root;

#[test]
fn every_published_day_is_what_another_source_says() {
    let reference = Reference::load(&project_root()).unwrap();
    let calendar = reference.working_calendar();
    let list = reference.list("calendar").unwrap();
    let mut differ = Vec::new();
    for code in list.codes() {
        let day: NaiveDate = code.parse().unwrap();
        let (month, day_of_month) = (u8::try_from(day.month()).unwrap(), u8::try_from(day.day()).unwrap());
        let flags = flags_ymd::<Federal>(day.year(), month, day_of_month).unwrap();
        assert!(matches!(flags, holidays_ru::Resolved::Fact(_)), "{day} is only predicted");
        let other = match flags.value() {
            flags if flags.is_day_off() => DayKind::Off,
            flags if flags.is_short_day() => DayKind::Short,
            _ => DayKind::Working,
        };
        if calendar.kind(day) != other {
            differ.push((code.clone(), calendar.kind(day), other));
        }
    }
    assert!(list.codes().len() >= 5 * 365);
    // The one day on which the sources disagree, see the note of the list.
    let known = [("2024-04-27", DayKind::Working, DayKind::Short), ("2024-11-02", DayKind::Short, DayKind::Working)];
    assert_eq!(differ, known.map(|(day, ours, theirs)| (day.to_owned(), ours, theirs)));
}
