//! Failures in the words of the people who see them on pages: what, where, what to do, in Russian and English.
//!
//! The English sentence is the error with its causes. The Russian one is of its own for whatever people who keep a register or a server can mend;
//! what is left is a matter for whoever knows the program, and gets the English causes behind a Russian beginning.

use std::error::Error;
use std::io::{self, ErrorKind};

use super::errors::{FileError, RunError};
use super::formats::FormatError;
use super::options::StopReason;
use super::sources::files::FilesError;
use super::sources::http::HttpError;
use super::sources::postgres::PostgresError;
use super::sources::s3::S3Error;
use crate::domain::disk_fault::DiskFault;
use crate::domain::error_chain::chain;
use crate::domain::language::Lang;
use crate::domain::sentence::Sentence;
use crate::s3::ClientError;
use crate::secrets::SecretError;

/// Why nothing of a file was taken.
#[must_use]
pub fn tell_file(file: &str, error: &FileError) -> Sentence {
    let ru = file_ru(error).unwrap_or_else(|| technical("не взято", error));
    Sentence::new(format!("{file}: {ru}"), format!("{file}: {}", chain(error)))
}

/// Why a pipeline stopped before the end of its source.
#[must_use]
pub fn tell_stop(error: &RunError) -> Sentence {
    let own = match error {
        RunError::Interrupted { file, cause, .. } => Some(format!(
            "остановлено на «{file}», из него ничего не взято: {}; следующая загрузка продолжит с этого места",
            tell_reason(*cause).get(Lang::Ru)
        )),
        RunError::Files { cause, .. } => Some(files_ru(cause)),
        RunError::Quarantine { file, cause, .. } => {
            disk_ru(&format!("отклонённые строки «{file}» не сохранить"), cause)
        }
        RunError::State { cause, .. } => disk_ru("состояние конвейера не записать", cause),
        RunError::Lake { file, cause, .. } => disk_ru(&format!("«{file}» не записать в озеро данных"), cause),
        RunError::Assemble { file, cause, .. } => disk_ru(&format!("«{file}» не записать в озеро данных"), cause),
        RunError::NotRejected { file, .. } => Some(format!("в карантине нет строк из «{file}»")),
        RunError::NoContract { .. } | RunError::Unbalanced { .. } | RunError::Stopped { .. } => None,
    };
    tell(own, "конвейер остановлен", error)
}

/// Why something at work failed which no pipeline is at fault for.
#[must_use]
pub fn tell_work(what_ru: &str, error: &(dyn Error + 'static)) -> Sentence {
    tell(disk_ru(what_ru, error), what_ru, error)
}

/// Why a run was told to stop.
#[must_use]
pub fn tell_reason(reason: StopReason) -> Sentence {
    let ru = match reason {
        StopReason::TimeLimit { limit_secs } => format!("загрузка шла дольше разрешённых {limit_secs} с"),
        StopReason::Asked => "программу попросили завершиться".to_owned(),
    };
    Sentence::new(ru, reason.to_string())
}

/// A sentence of its own where there is one; the advice about the disk in either language.
fn tell(own_ru: Option<String>, what_ru: &str, error: &(dyn Error + 'static)) -> Sentence {
    let advice = DiskFault::of(error).map(|fault| format!("; {}", fault.advice(Lang::En))).unwrap_or_default();
    Sentence::new(own_ru.unwrap_or_else(|| technical(what_ru, error)), format!("{}{advice}", chain(error)))
}

fn technical(what_ru: &str, error: &(dyn Error + 'static)) -> String {
    format!("{what_ru}; техническая причина: {}", chain(error))
}

/// What the disk did not take, if it is the disk's fault.
fn disk_ru(what: &str, error: &(dyn Error + 'static)) -> Option<String> {
    let fault = DiskFault::of(error)?;
    Some(format!("{what}: {}; {} ({})", fault.name(Lang::Ru), fault.advice(Lang::Ru), chain(error)))
}

fn file_ru(error: &FileError) -> Option<String> {
    Some(match error {
        FileError::Files(cause) => files_ru(cause),
        FileError::Inbox(cause) => return disk_ru("принятые строки не прочитать или не записать", cause),
        FileError::S3(cause) => return s3_ru(cause),
        FileError::Unpack(cause) => technical("из архива ничего не взять", cause),
        FileError::Format { cause, .. } => return format_ru(cause),
        FileError::Gone { .. } => {
            "файла больше нет в источнике, поэтому отклонённые строки не прочитать заново; верните \
            прежний файл или попросите реестр прислать строки снова"
                .to_owned()
        }
        FileError::Replaced { pipeline, .. } => {
            format!("файл с тех пор изменился; новый файл прочитает обычная загрузка: svod run {pipeline}")
        }
        FileError::Http { page, cause } => {
            format!("страницу {page} не получить: {}; следующая загрузка продолжит с неё", http_ru(cause)?)
        }
        FileError::Postgres(cause) => return postgres_ru(cause),
        FileError::Held { reasons, .. } => format!(
            "файл придержан правилом, из него ничего не взято, прежние данные остаются: {}; исправьте выгрузку или контракт",
            reasons.join("; ")
        ),
        FileError::Mapping { cause, .. } => technical("строки не сопоставить с контрактом", cause),
    })
}

fn files_ru(error: &FilesError) -> String {
    match error {
        FilesError::Pattern { pattern, .. } => format!("шаблон файлов «{pattern}» не разобрать; исправьте объявление"),
        FilesError::List { pattern, cause } => {
            format!("файлы «{pattern}» не перечислить: {}", read_fault_ru(cause.error()))
        }
        FilesError::Read { cause, .. } => format!("файл не прочитать: {}", read_fault_ru(cause)),
        FilesError::Changed { .. } => {
            "файл изменился, пока его читали; из него ничего не взято, следующая загрузка прочитает его снова"
                .to_owned()
        }
    }
}

/// Why a file of the register cannot be read, and what to do.
fn read_fault_ru(cause: &io::Error) -> String {
    match cause.kind() {
        ErrorKind::NotFound => "его уже нет; верните его, если он ещё нужен".to_owned(),
        ErrorKind::PermissionDenied => "нет права на чтение; дайте его пользователю svod".to_owned(),
        _ => format!("ошибка диска или сети ({cause}); следующая загрузка попробует снова"),
    }
}

fn format_ru(error: &FormatError) -> Option<String> {
    let names = |names: &[String]| names.iter().take(20).map(|name| format!("«{name}»")).collect::<Vec<_>>().join(", ");
    Some(match error {
        FormatError::ChangedColumns { undeclared, missing } => {
            let said = [("не объявлены", undeclared), ("нет в файле", missing)];
            let said = said.iter().filter(|(_, found)| !found.is_empty());
            let said: Vec<String> = said.map(|(what, found)| format!("{what} {}", names(found))).collect();
            format!(
                "столбцы изменились: {}; файл не взят, прежние данные остаются; объявите новые столбцы в columns или внесите \
                 их в ignore, исчезнувшие уберите из columns, или попросите исправить выгрузку",
                said.join(", ")
            )
        }
        FormatError::MissingColumn { column, found } => {
            format!("нет столбца «{column}», есть {}; исправьте выгрузку или объявление", names(found))
        }
        FormatError::Read(cause) if cause.get_ref().is_none() => format!("файл не прочитать: {}", read_fault_ru(cause)),
        FormatError::Frame(_) | FormatError::Arrow(_) => return None,
        other => technical("файл не в том формате, что объявлен", other),
    })
}

fn secret_ru(error: &SecretError) -> String {
    match error {
        SecretError::Unset { name } => {
            format!("не задана переменная окружения {name}, в которой должен быть секрет источника")
        }
        SecretError::Empty { place } => format!("секрет источника в «{place}» пуст"),
        SecretError::File { file, cause } => {
            format!("файл «{file}» с секретом источника не прочитать: {}", read_fault_ru(cause))
        }
    }
}

fn http_ru(error: &HttpError) -> Option<String> {
    Some(match error {
        HttpError::Secret(cause) => secret_ru(cause),
        HttpError::Unsendable { name } => {
            format!("в секрете для «{name}» есть знаки, которых не может быть в заголовке")
        }
        HttpError::Unreachable { address, .. } => format!("{address} недоступен; проверьте адрес и сеть"),
        HttpError::TooSlow { address } => format!("{address} не ответил вовремя; см. timeouts"),
        HttpError::BrokenOff { address, .. } => format!("ответ {address} оборвался; из этой страницы ничего не взято"),
        HttpError::Refused { address, status } => match status.as_u16() {
            401 | 403 => format!("{address} не принимает учётные данные ({status}); проверьте auth и секреты"),
            404 | 410 => format!("{address} не знает такого адреса ({status}); проверьте url"),
            _ => format!("{address} ответил {status}"),
        },
        HttpError::NoToken { address, reason } => {
            format!("сервер {address} не выдаёт токен: {reason}; проверьте auth и секреты")
        }
        HttpError::Busy { wait, cause } => format!(
            "источник просит прийти через {}, это дольше retries.longest_wait: {}",
            humantime::format_duration(*wait),
            http_ru(cause)?
        ),
        HttpError::GaveUp { attempts, cause } => format!("попыток {attempts}, все неудачны: {}", http_ru(cause)?),
        HttpError::Disk(cause) => return disk_ru("ответ не сохранить", cause),
        other => technical("ответ источника не взять", other),
    })
}

fn postgres_ru(error: &PostgresError) -> Option<String> {
    Some(match error {
        PostgresError::Secret(cause) => secret_ru(cause),
        PostgresError::ConnectionString => "строку подключения к базе данных не разобрать; исправьте секрет".to_owned(),
        PostgresError::Unreachable(_) => "сервер базы данных недоступен; проверьте адрес и сеть".to_owned(),
        PostgresError::Tls(_) => "нет защищённого соединения с базой данных; см. sslmode и ca_file".to_owned(),
        PostgresError::NotLetIn(reason) => {
            format!("база данных не принимает учётные данные ({reason}); проверьте строку подключения")
        }
        PostgresError::TooSlow(limit) => {
            format!("запрос шёл дольше {}; см. statement_timeout", humantime::format_duration(*limit))
        }
        PostgresError::Lost(_) => {
            "соединение с базой данных потеряно; ничего не взято, следующая загрузка спросит снова".to_owned()
        }
        PostgresError::Disk(cause) => return disk_ru("строки не сохранить", cause),
        PostgresError::Unit(cause) => files_ru(cause),
        other => technical("строки из базы данных не взять", other),
    })
}

fn s3_ru(error: &S3Error) -> Option<String> {
    Some(match error {
        S3Error::Client(ClientError::Secret { key, cause }) => format!("{key}: {}", secret_ru(cause)),
        S3Error::Refused { bucket } => {
            format!("хранилище s3://{bucket} не принимает ключи; проверьте access_key, secret_key и их права")
        }
        S3Error::NoBucket { bucket } => {
            format!("в хранилище нет «{bucket}»; проверьте url, endpoint и path_style")
        }
        S3Error::Unreachable { bucket, .. } => {
            format!("хранилище s3://{bucket} не отвечает; следующая загрузка спросит снова")
        }
        S3Error::Changed => {
            "объект изменился, пока его получали; из него ничего не взято, следующая загрузка получит его снова"
                .to_owned()
        }
        S3Error::Copy(cause) => return disk_ru("объект не сохранить", cause),
        S3Error::Client(ClientError::Settings { .. }) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ru(error: &FileError) -> String {
        tell_file("a.csv", error).get(Lang::Ru).to_owned()
    }

    #[test]
    fn what_people_can_mend_is_said_in_russian() {
        let changed = FormatError::ChangedColumns {
            undeclared: vec!["Льгота".to_owned()],
            missing: vec!["Дата".to_owned()],
        };
        let frozen = ru(&FileError::Format { file: "a.csv".to_owned(), cause: changed });
        assert!(
            frozen.starts_with("a.csv: столбцы изменились: не объявлены «Льгота», нет в файле «Дата»; файл не взят")
        );
        let secret = SecretError::Unset { name: "TOKEN".to_owned() };
        assert_eq!(
            ru(&FileError::Http { page: 2, cause: secret.into() }),
            "a.csv: страницу 2 не получить: не задана переменная окружения TOKEN, в которой должен быть секрет источника; \
             следующая загрузка продолжит с неё"
        );
        let refused = HttpError::Refused { address: "https://a".to_owned(), status: reqwest::StatusCode::FORBIDDEN };
        let gave_up = HttpError::GaveUp { attempts: 3, cause: Box::new(refused) };
        assert!(
            ru(&FileError::Http { page: 1, cause: gave_up }).contains("не принимает учётные данные (403 Forbidden)")
        );
        assert!(
            ru(&FileError::Postgres(PostgresError::Data("22007".to_owned())))
                .contains("техническая причина: the query")
        );
        let full = io::Error::from_raw_os_error(28);
        let disk = ru(&FileError::Http { page: 1, cause: full.into() });
        assert!(disk.contains("ответ не сохранить: на диске нет места; освободите место"), "{disk}");
        let denied = FilesError::Read { file: "a.csv".to_owned(), cause: ErrorKind::PermissionDenied.into() };
        assert_eq!(ru(&denied.into()), "a.csv: файл не прочитать: нет права на чтение; дайте его пользователю svod");
    }

    #[test]
    fn both_languages_say_what_to_do_about_the_disk() {
        let cause = super::super::state::StateError::File(io::Error::from_raw_os_error(30));
        let told = tell_stop(&RunError::State { pipeline: "a".to_owned(), cause });
        let (ru, en) = (told.get(Lang::Ru), told.get(Lang::En));
        assert!(ru.starts_with("состояние конвейера не записать: диск доступен только для чтения; сделайте"), "{ru}");
        assert!(en.ends_with("; make the disk writable and run again: what was committed stays"), "{en}");
    }
}
