//! What is asked for in Samara Oblast, by whom and how: codes of the project's lists with how usual each is.

/// A measure of support.
#[derive(Debug, Clone, Copy)]
pub(super) struct Support {
    /// Code of the list `services`.
    pub(super) code: &'static str,
    /// The agency that provides it, code of the list `agencies`.
    pub(super) agency: &'static str,
    /// How often it is asked for.
    pub(super) weight: u32,
    /// Roubles paid, from and to; none where no money is paid.
    pub(super) roubles: Option<(u32, u32)>,
}

const fn support(code: &'static str, agency: &'static str, weight: u32) -> Support {
    Support { code, agency, weight, roubles: None }
}

const fn payment(code: &'static str, agency: &'static str, weight: u32, roubles: (u32, u32)) -> Support {
    Support { code, agency, weight, roubles: Some(roubles) }
}

/// The measures of support.
pub(super) const SUPPORTS: [Support; 32] = [
    support("medical_checkup", "sam_health", 62),
    support("medical_treatment", "sam_health", 71),
    support("medical_rehabilitation", "sam_health", 58),
    support("medical_medicines", "sam_health", 44),
    support("medical_psychologist", "sam_health", 49),
    payment("medical_sanatorium", "sam_family", 35, (18_000, 64_000)),
    support("education_kindergarten", "sam_education", 41),
    support("education_meals", "sam_education", 52),
    support("education_daycare", "sam_education", 24),
    payment("education_camp", "sam_family", 38, (9_000, 38_000)),
    support("education_training", "sam_education", 19),
    support("education_clubs", "sam_culture", 27),
    payment("payment_lump_sum", "sam_family", 78, (10_000, 100_000)),
    payment("payment_child", "sam_family", 66, (4_500, 17_500)),
    payment("payment_housing", "sam_family", 59, (900, 6_800)),
    payment("payment_travel", "sam_family", 21, (400, 2_600)),
    payment("payment_fuel", "sam_energy", 16, (6_000, 21_000)),
    support("debt_housing", "sam_energy", 23),
    support("debt_credit", "sam_finance", 28),
    support("debt_tax", "sam_finance", 11),
    support("debt_enforcement", "sam_policy", 17),
    support("sport_sections", "sam_sport", 29),
    support("sport_adaptive", "sam_sport", 9),
    support("sport_facilities", "sam_sport", 18),
    support("job_search", "sam_labour", 33),
    support("job_retraining", "sam_labour", 26),
    support("job_quota", "sam_labour", 8),
    payment("job_business", "sam_labour", 12, (60_000, 350_000)),
    support("volunteer_household", "sam_omsu", 31),
    support("volunteer_delivery", "sam_omsu", 22),
    support("volunteer_legal", "sam_governor", 36),
    support("volunteer_childcare", "sam_omsu", 14),
];

/// Lags of an agency in thousandths of the usual ones, and refusals in a thousand decisions.
pub(super) fn habits(agency: &str) -> (u32, u32) {
    match agency {
        "sam_health" => (1_120, 70),
        "sam_education" => (940, 95),
        "sam_culture" => (780, 30),
        "sam_family" => (900, 140),
        "sam_sport" => (820, 40),
        "sam_labour" => (1_080, 85),
        "sam_energy" => (1_240, 190),
        "sam_finance" => (1_310, 240),
        "sam_policy" => (1_180, 210),
        "sam_governor" => (860, 25),
        _ => (960, 50),
    }
}

/// A citizen's category: code and short name of the list `categories`, and how many there are.
pub(super) const CATEGORIES: [(&str, &str, u32); 10] = [
    ("svo_family", "Семьи участников СВО", 262),
    ("large_family", "Многодетные", 196),
    ("disabled", "Инвалиды", 128),
    ("pensioner", "Пенсионеры", 104),
    ("low_income_family", "Малоимущие семьи", 97),
    ("svo_returned", "Возвратившиеся", 83),
    ("svo_participant", "Участники СВО", 61),
    ("combat_veteran", "Ветераны боевых действий", 35),
    ("low_income_single", "Малоимущие одинокие", 19),
    ("labour_veteran", "Ветераны труда", 15),
];

/// A way of appeal: code and short name of the list `channels`, how usual it is, whether it is a portal.
pub(super) const CHANNELS: [(&str, &str, u32, bool); 5] = [
    ("local_body", "ОМСУ", 640, false),
    ("mfc", "МФЦ", 230, false),
    ("office", "Лично", 130, false),
    ("epgu", "ЕПГУ", 760, true),
    ("return_form", "Анкета", 240, true),
];

/// Grounds of refusal: codes of the list `refusal_grounds`.
pub(super) const GROUNDS: [(&str, u32); 3] =
    [("support_no_right", 46), ("support_documents", 33), ("support_received", 21)];

/// The six sections of a passport: codes of the list `passport_sections`, of a thousand passports how many have it filled,
/// and working days until then, as quantiles.
pub(super) const SECTIONS: [(&str, u32, [u16; 21]); 6] = [
    ("contacts", 985, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 3, 6, 15]),
    ("kinship", 930, [0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 4, 5, 6, 8, 10, 13, 17, 23, 34, 60]),
    ("needs", 880, [0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 9, 11, 13, 16, 20, 27, 40, 80]),
    ("debts", 760, [0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 17, 20, 24, 29, 36, 47, 66, 120]),
    ("leave", 640, [2, 5, 8, 11, 14, 17, 20, 24, 28, 32, 37, 42, 48, 55, 63, 72, 84, 98, 120, 160, 220]),
    ("return", 560, [1, 4, 7, 10, 14, 19, 24, 30, 36, 43, 51, 59, 68, 78, 90, 104, 120, 140, 168, 205, 260]),
];

/// Kinds of support that a questionnaire is routed to: groups of the list `support_groups`, the agency of each, of a
/// thousand questionnaires how many want it.
pub(super) const RETURN_GROUPS: [(&str, &str, u32); 7] = [
    ("medical", "sam_health", 640),
    ("education", "sam_education", 230),
    ("payment", "sam_family", 580),
    ("debt", "sam_finance", 310),
    ("sport", "sam_sport", 190),
    ("job", "sam_labour", 420),
    ("volunteer", "sam_omsu", 160),
];

/// Kinship: names of the list `kinship`, with how usual each is.
pub(super) const KINSHIP: [(&str, u32); 9] = [
    ("Супруг, супруга", 230),
    ("Ребенок", 370),
    ("Родитель", 190),
    ("Брат, сестра", 80),
    ("Дедушка, бабушка", 45),
    ("Внук, внучка", 25),
    ("Опекун, попечитель", 15),
    ("Подопечный", 15),
    ("Иное родство", 30),
];

/// Kinds of debts: names of the list `debt_kinds`, how usual, roubles from and to.
pub(super) const DEBTS: [(&str, u32, (u32, u32)); 5] = [
    ("Жилищно-коммунальные услуги", 430, (3_000, 140_000)),
    ("Кредиты и займы", 310, (15_000, 900_000)),
    ("Налоги и сборы", 120, (1_000, 60_000)),
    ("Алименты", 50, (10_000, 300_000)),
    ("Иное исполнительное производство", 90, (2_000, 250_000)),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn column(list: &str, name: &str) -> Vec<String> {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("warehouse/reference/{list}.csv"));
        let mut reader = csv::Reader::from_path(path).unwrap();
        let place = reader.headers().unwrap().iter().position(|header| header == name).unwrap();
        reader.records().map(|record| record.unwrap()[place].to_owned()).collect()
    }

    fn value(list: &str, code: &str, name: &str) -> String {
        let place = column(list, "code").iter().position(|known| known == code);
        column(list, name)[place.unwrap_or_else(|| panic!("`{code}` is not in `{list}`"))].clone()
    }

    #[test]
    fn codes_and_names_are_those_of_the_lists() {
        for support in SUPPORTS {
            assert_eq!(value("services", support.code, "agency"), support.agency);
        }
        for (code, short, _) in CATEGORIES {
            assert_eq!(value("categories", code, "short_ru"), short);
        }
        for (code, short, _, _) in CHANNELS {
            assert_eq!(value("channels", code, "short_ru"), short);
        }
        for (code, _) in GROUNDS {
            assert_eq!(value("refusal_grounds", code, "kind"), "refusal");
        }
        for (code, agency, _) in RETURN_GROUPS {
            value("support_groups", code, "name_ru");
            value("agencies", agency, "name_ru");
        }
        for (name, _, _) in DEBTS {
            assert!(column("debt_kinds", "name_ru").iter().any(|known| known == name), "{name}");
        }
        for (name, _) in KINSHIP {
            assert!(column("kinship", "name_ru").iter().any(|known| known == name), "{name}");
        }
        for (code, _, _) in SECTIONS {
            value("passport_sections", code, "name_ru");
        }
    }

    #[test]
    fn every_measure_of_family_support_can_be_asked_for() {
        let of_samara = column("services", "agency").iter().filter(|agency| agency.starts_with("sam_")).count();
        assert_eq!(of_samara, SUPPORTS.len());
    }
}
