//! What the journals of Leningrad Oblast speak of: codes and names of the project's lists with how usual each is.

/// Circumstances 1–7 of the journal of applications, with how usual each is.
pub(super) const CIRCUMSTANCES: [u32; 7] = [460, 170, 120, 95, 70, 35, 50];

/// The numbers of circumstances and of subjects of complaints, as they stand in the files.
pub(super) const NUMBERS: [&str; 7] = ["1", "2", "3", "4", "5", "6", "7"];

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

/// Services that are rated: codes of the list `services`, with how usual each is.
pub(super) const RATED_SERVICES: [(&str, u32); 4] =
    [("recognition_any", 420), ("recognition_home", 230), ("contract_hardship", 210), ("contract_job_search", 140)];

/// Directions of the social contract: their marks in the list `services`, how usual, whether it is about a business, roubles
/// from and to.
pub(super) const DIRECTIONS: [(&str, u32, bool, (u32, u32)); 5] = [
    ("А", 230, false, (15_000, 80_000)),
    ("Б", 170, true, (100_000, 350_000)),
    ("Б1", 60, true, (100_000, 350_000)),
    ("В", 130, false, (50_000, 200_000)),
    ("Г", 410, false, (20_000, 120_000)),
];

/// Ways of application for a social contract: `contract_code` of the list `channels`, how usual, whether it is a portal.
pub(super) const CONTRACT_WAYS: [(&str, u32, bool); 5] =
    [("ЦСЗН", 520, false), ("МФЦ", 450, false), ("ПОЧТА", 30, false), ("ЕПГУ", 880, true), ("ПГУ", 120, true)];

/// Categories of applicants: short names of the list `categories`, how usual, whether they are those of direction Б1.
pub(super) const CONTRACT_CATEGORIES: [(&str, u32, bool); 4] = [
    ("Малоимущие семьи", 720, false),
    ("Малоимущие одинокие", 280, false),
    ("Участники СВО без работы", 700, true),
    ("Супруги участников СВО", 300, true),
];

/// Grounds of refusal of a social contract, as in 2.12.2 of its regulation: names of the list `refusal_grounds`, how usual,
/// whether it is the one of income. The fourth is the breach of the term.
pub(super) const CONTRACT_GROUNDS: [(&str, u32, bool); 4] = [
    ("Нет права на услугу", 190, false),
    ("Недостоверные сведения о составе семьи, доходах и имуществе", 230, false),
    ("Среднедушевой доход выше прожиточного минимума", 460, true),
    ("Документы не представлены в срок", 120, false),
];

/// Grounds а–д of an extension, as in 3.5.3: names of the list `refusal_grounds`, how usual, whether for a business only.
pub(super) const EXTENSIONS: [(&str, u32, bool); 5] = [
    ("Дополнительная проверка (комиссионное обследование)", 250, false),
    ("Не получены межведомственные сведения", 420, false),
    ("Тестирование предпринимательской компетентности", 110, true),
    ("Обучение предпринимательской компетентности", 130, true),
    ("Подготовка или доработка бизнес-плана", 160, true),
];

/// Kinds of services of a programme: names of the list `service_kinds`, how usual.
pub(super) const SERVICE_KINDS: [(&str, u32); 7] = [
    ("Социально-бытовые", 380),
    ("Социально-медицинские", 210),
    ("Социально-психологические", 140),
    ("Социально-педагогические", 80),
    ("Социально-трудовые", 40),
    ("Социально-правовые", 90),
    ("В целях повышения коммуникативного потенциала", 60),
];

/// Marks of performance: names of the list `performance_marks`, how usual.
pub(super) const MARKS: [(&str, u32); 3] = [("Выполнена", 830), ("Выполнена частично", 110), ("Не выполнена", 60)];

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
        wanted.extend(super::DIRECTIONS.map(|direction| ("services", "direction", direction.0)));
        wanted.extend(super::CONTRACT_WAYS.map(|way| ("channels", "contract_code", way.0)));
        wanted.extend(super::CONTRACT_CATEGORIES.map(|category| ("categories", "short_ru", category.0)));
        wanted.extend(super::CONTRACT_GROUNDS.map(|ground| ("refusal_grounds", "name_ru", ground.0)));
        wanted.extend(super::EXTENSIONS.map(|ground| ("refusal_grounds", "name_ru", ground.0)));
        wanted.extend(super::SERVICE_KINDS.map(|kind| ("service_kinds", "name_ru", kind.0)));
        wanted.extend(super::MARKS.map(|mark| ("performance_marks", "name_ru", mark.0)));
        wanted.extend(super::RATED_SERVICES.map(|service| ("services", "code", service.0)));
        wanted.extend(super::WAYS.map(|way| ("channels", "journal_code", way.0)));
        for (list, name, value) in wanted {
            assert!(column(list, name).iter().any(|known| known == value), "`{value}` is not in `{list}`.`{name}`");
        }
        assert_eq!(column("circumstances", "code").len(), super::CIRCUMSTANCES.len());
        assert_eq!(column("complaint_subjects", "code").len(), super::SUBJECTS.len());
    }
}
