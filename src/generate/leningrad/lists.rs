//! What the journals of Leningrad Oblast speak of: codes and names of the project's lists with how usual each is.

/// Circumstances 1–7 of the journal of applications, with how usual each is.
pub(super) const CIRCUMSTANCES: [u32; 7] = [460, 170, 120, 95, 70, 35, 50];

/// Ways of application of the journal of applications: its code, how usual it is, whether it is a portal.
pub(super) const WAYS: [(&str, u32, bool); 4] =
    [("1", 520, false), ("2", 60, false), ("3", 420, false), ("4", 1_000, true)];

/// Forms of social service as the journal notes them: names of the list `service_forms`.
pub(super) const FORMS: [(&str, u32); 4] = [
    ("На дому", 560),
    ("Полустационарная", 270),
    ("Стационарная с временным проживанием", 90),
    ("Срочные социальные услуги", 80),
];

/// Grounds of refusal as the journal notes them: names of the list `refusal_grounds`.
pub(super) const GROUNDS: [(&str, u32); 3] = [
    ("Нет обстоятельств, ухудшающих условия жизни", 48),
    ("Документы не соответствуют требованиям", 35),
    ("Заявитель не относится к получателям услуги", 17),
];

/// Organisations that are asked for information: short names of the list `request_organisations`, what they are asked, how
/// often, and their lags in thousandths of the usual ones.
pub(super) const ORGANISATIONS: [(&str, &str, u32, u32); 3] = [
    ("Социальный фонд", "СНИЛС, пенсия, ЕДВ", 520, 900),
    ("МВД", "Регистрация по месту жительства", 360, 1_150),
    ("Служба занятости", "Регистрация безработным", 120, 700),
];

/// Social categories in the journal of requests, with how usual each is.
pub(super) const SOCIAL_CATEGORIES: [(&str, u32); 5] =
    [("Пенсионер", 430), ("Инвалид", 300), ("Семья с детьми", 150), ("Малоимущий", 90), ("Без категории", 30)];

/// Subjects of complaints 1–7, with how usual each is.
pub(super) const SUBJECTS: [u32; 7] = [90, 340, 170, 130, 160, 20, 90];

/// Holders of cards: short names and codes of the list `categories`, how many there are.
pub(super) const HOLDERS: [(&str, &str, u32); 10] = [
    ("large_family", "Многодетные", 310),
    ("pensioner", "Пенсионеры", 235),
    ("labour_veteran_region", "Ветераны труда ЛО", 120),
    ("disabled", "Инвалиды", 98),
    ("labour_veteran", "Ветераны труда", 74),
    ("svo_family", "Семьи участников СВО", 71),
    ("svo_participant", "Участники СВО", 42),
    ("combat_veteran", "Ветераны боевых действий", 36),
    ("radiation", "Пострадавшие от радиации", 9),
    ("wwii_veteran", "Ветераны ВОВ", 5),
];

/// Measures paid by electronic certificate: names and codes of the list `services`, how usual, roubles from and to.
pub(super) const CERTIFICATES: [(&str, &str, u32, (u32, u32)); 2] = [
    ("certificate_newborn", "Товары для новорожденного по электронному сертификату", 62, (10_000, 30_000)),
    ("certificate_rehabilitation", "Средства реабилитации по электронному сертификату", 38, (5_000, 120_000)),
];

/// Partners where cards are shown: codes of the list `partner_kinds`, how usual, of a thousand how many are private,
/// roubles of a visit from and to.
pub(super) const PARTNERS: [(&str, u32, u32, (u32, u32)); 5] = [
    ("museum", 290, 120, (200, 900)),
    ("sports", 270, 610, (250, 1_800)),
    ("theatre", 190, 180, (400, 2_500)),
    ("park", 140, 330, (150, 1_200)),
    ("extra_education", 110, 270, (500, 4_000)),
];

#[cfg(test)]
mod tests {
    fn column(list: &str, name: &str) -> Vec<String> {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("warehouse/reference/{list}.csv"));
        let mut reader = csv::Reader::from_path(path).unwrap();
        let place = reader.headers().unwrap().iter().position(|header| header == name).unwrap();
        reader.records().map(|record| record.unwrap()[place].to_owned()).collect()
    }

    #[test]
    fn codes_and_names_are_those_of_the_lists() {
        let mut wanted: Vec<(&str, &str, &str)> = Vec::new();
        wanted.extend(super::FORMS.map(|form| ("service_forms", "name_ru", form.0)));
        wanted.extend(super::GROUNDS.map(|ground| ("refusal_grounds", "name_ru", ground.0)));
        wanted.extend(super::ORGANISATIONS.map(|asked| ("request_organisations", "short_ru", asked.0)));
        wanted.extend(super::HOLDERS.map(|holder| ("categories", "code", holder.0)));
        wanted.extend(super::HOLDERS.map(|holder| ("categories", "short_ru", holder.1)));
        wanted.extend(super::CERTIFICATES.map(|measure| ("services", "code", measure.0)));
        wanted.extend(super::CERTIFICATES.map(|measure| ("services", "name_ru", measure.1)));
        wanted.extend(super::PARTNERS.map(|partner| ("partner_kinds", "code", partner.0)));
        wanted.extend(super::WAYS.map(|way| ("channels", "journal_code", way.0)));
        for (list, name, value) in wanted {
            assert!(column(list, name).iter().any(|known| known == value), "`{value}` is not in `{list}`.`{name}`");
        }
        assert_eq!(column("circumstances", "code").len(), super::CIRCUMSTANCES.len());
        assert_eq!(column("complaint_subjects", "code").len(), super::SUBJECTS.len());
    }
}
