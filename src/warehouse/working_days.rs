//! The function `working_days(after, until)` for whoever reads `warehouse.duckdb` with SQL of its own, as the semantic layer does.
//!
//! ```text
//! svod.working_calendar   one row: the first day of the calendar, and by how many working days each day of it is ahead of Monday
//!                         to Friday
//! svod.functions          hash of each function as it was written
//! main.working_days       the macro, found without a schema
//! ```

use duckdb::{Connection, params};

use super::database;
use crate::domain::calendar::WorkingCalendar;

/// Name of the function, the same as in indicators.
const NAME: &str = "working_days";

/// Writes the function if the calendar or the function differ from what is there.
///
/// It gives the working days after one day up to another: the first day does not count, the second does; negative if the second is
/// the earlier one; null if one of them is. Days that nobody has published are working from Monday to Friday.
pub(super) fn keep_working_days(connection: &Connection, calendar: &WorkingCalendar) -> Result<(), duckdb::Error> {
    let sql = sql_of(calendar);
    let hash = blake3::hash(sql.as_bytes()).to_hex().to_string();
    connection.execute_batch("CREATE TABLE IF NOT EXISTS svod.functions (name VARCHAR, hash VARCHAR)")?;
    let known = "SELECT count(*) > 0 FROM svod.functions WHERE name = ? AND hash = ?";
    if connection.query_row(known, params![NAME, hash], |row| row.get(0))? {
        return Ok(());
    }
    let name = database::text(NAME);
    connection.execute_batch(&format!(
        "BEGIN;
         {sql}
         DELETE FROM svod.functions WHERE name = {name};
         INSERT INTO svod.functions VALUES ({name}, {});
         COMMIT;",
        database::text(&hash)
    ))
}

/// Both days are numbered from the Monday 0001-01-01, so that their weeks are never negative; where the numbering begins falls out
/// of the difference.
fn sql_of(calendar: &WorkingCalendar) -> String {
    let (first, surplus) = calendar.surplus_by_day();
    let first = first.map_or("NULL".to_owned(), |day| format!("DATE '{day}'"));
    let surplus: Vec<String> = surplus.iter().map(ToString::to_string).collect();
    let up_to = |day: &str| {
        let number = format!("({day}::DATE - DATE '0001-01-01')");
        let known = |column: &str| format!("(SELECT {column} FROM svod.working_calendar)");
        let (first, surplus) = (known("first_day"), known("surplus"));
        format!(
            "{number} // 7 * 5 + least({number} % 7 + 1, 5)
             + CASE WHEN {day}::DATE >= {first} THEN {surplus}[least({day}::DATE - {first} + 1, len({surplus}))] ELSE 0 END"
        )
    };
    format!(
        "CREATE OR REPLACE TABLE svod.working_calendar AS SELECT {first}::DATE AS first_day, [{}]::BIGINT[] AS surplus;
         CREATE OR REPLACE MACRO main.{NAME}(after_day, until_day) AS ({} - ({}))::BIGINT;",
        surplus.join(", "),
        up_to("until_day"),
        up_to("after_day"),
    )
}

#[cfg(test)]
mod tests {
    use chrono::{Days, NaiveDate};

    use super::*;
    use crate::domain::calendar::DayKind;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn asked(connection: &Connection, after: &str, until: &str) -> Option<i64> {
        let sql = format!("SELECT working_days({after}, {until})");
        connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    }

    fn database() -> Connection {
        let connection = database::open_memory().unwrap();
        connection.execute_batch("CREATE SCHEMA svod").unwrap();
        connection
    }

    #[test]
    fn it_counts_as_the_indicators_do() {
        // New Year, a working Saturday, and a day that nobody has published between them.
        let off = (1..=8).map(|number| (NaiveDate::from_ymd_opt(2025, 1, number).unwrap(), DayKind::Off));
        let others = [("2025-01-11", DayKind::Working), ("2025-01-13", DayKind::Off)];
        let calendar: WorkingCalendar = off.chain(others.map(|(text, kind)| (day(text), kind))).collect();
        let connection = database();
        keep_working_days(&connection, &calendar).unwrap();
        let count = calendar.running_count();
        let days: Vec<NaiveDate> = (0..60).map(|number| day("2024-12-15") + Days::new(number)).collect();
        for after in days.iter().chain(&[day("1931-03-04"), day("2099-02-01")]) {
            for until in days.iter().step_by(7).chain(&[day("1969-12-28"), day("2031-05-06")]) {
                let found = asked(&connection, &format!("DATE '{after}'"), &format!("DATE '{until}'"));
                assert_eq!(found, Some(count.between(*after, *until)), "{after} {until}");
            }
        }
        assert_eq!(asked(&connection, "NULL", "DATE '2025-01-01'"), None);
        assert_eq!(asked(&connection, "DATE '2025-01-01'", "NULL"), None);
    }

    #[test]
    fn a_changed_calendar_changes_it_and_a_missing_one_is_monday_to_friday() {
        let connection = database();
        keep_working_days(&connection, &WorkingCalendar::default()).unwrap();
        let week = |connection: &Connection| asked(connection, "DATE '2025-01-05'", "DATE '2025-01-12'");
        assert_eq!(week(&connection), Some(5));
        let calendar: WorkingCalendar = [(day("2025-01-07"), DayKind::Off)].into_iter().collect();
        for _ in 0..2 {
            keep_working_days(&connection, &calendar).unwrap();
            assert_eq!(week(&connection), Some(4));
        }
        let sql = "SELECT count(*) FROM svod.functions";
        assert_eq!(connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap(), 1);
    }
}
