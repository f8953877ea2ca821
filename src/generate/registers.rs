//! The regions and registers that can be made, and their names.

use std::fmt;
use std::str::FromStr;

use super::world::World;
use super::{GenerateError, RegisterReport, leningrad, samara};

/// A region whose registers can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Region {
    /// Samara Oblast: the platform «Social passport of the family».
    Samara,
    /// Leningrad Oblast: journals of social services, virtual social card.
    Leningrad,
}

impl Region {
    /// OKTMO code of the region.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Samara => "36000000",
            Self::Leningrad => "41000000",
        }
    }

    /// First two digits of the OKTMO codes of its municipalities.
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::Samara => "36",
            Self::Leningrad => "41",
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Samara => "samara",
            Self::Leningrad => "leningrad",
        })
    }
}

impl FromStr for Region {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Samara, Self::Leningrad]
            .into_iter()
            .find(|region| region.to_string() == text)
            .ok_or_else(|| format!("`{text}` is not a region, expected `samara` or `leningrad`"))
    }
}

/// A register whose export can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Register {
    /// Samara: appeals for support, NDJSON by year.
    Appeals,
    /// Samara: social passports with their six sections, NDJSON.
    Passports,
    /// Samara: the appeals as one event per line, NDJSON in one file; for measuring speed.
    CaseEvents,
    /// Leningrad: the journal of applications for social services, windows-1251 CSV by quarter.
    Journal,
    /// Leningrad: the journal of interagency requests, windows-1251 CSV by year.
    Requests,
    /// Leningrad: individual programmes of social services, CSV by year.
    Programmes,
    /// Leningrad: complaints, CSV.
    Complaints,
    /// Leningrad: applications for virtual cards and electronic certificates, CSV by year.
    Cards,
    /// Leningrad: uses of cards and certificates, Parquet.
    CardUses,
    /// Leningrad: applications for social contracts, windows-1251 CSV by year.
    Contracts,
    /// Leningrad: services of individual programmes with their marks, Parquet.
    ProgrammeServices,
    /// Leningrad: electronic cases with invitations and visits, cp866 CSV.
    ElectronicCases,
    /// Leningrad: operations with electronic certificates, NDJSON.
    CertificateOperations,
    /// Samara: questionnaires of returned citizens, NDJSON.
    Returns,
    /// Samara: leaves of participants, NDJSON.
    Leaves,
    /// Samara: debts of families, Parquet.
    Debts,
    /// Samara: kinship cards, NDJSON.
    FamilyMembers,
    /// Samara: needs of citizens and their relatives, NDJSON.
    Needs,
    /// Leningrad: ratings of services with visits and queues, CSV.
    Ratings,
    /// Leningrad: partners of the virtual card, CSV.
    Partners,
}

impl Register {
    /// All registers; the place of each decides its random choices, so a new one comes last.
    pub const ALL: [Self; 20] = [
        Self::Appeals,
        Self::Passports,
        Self::CaseEvents,
        Self::Journal,
        Self::Requests,
        Self::Programmes,
        Self::Complaints,
        Self::Cards,
        Self::CardUses,
        Self::Contracts,
        Self::ProgrammeServices,
        Self::ElectronicCases,
        Self::CertificateOperations,
        Self::Returns,
        Self::Leaves,
        Self::Debts,
        Self::FamilyMembers,
        Self::Needs,
        Self::Ratings,
        Self::Partners,
    ];

    /// Name on the command line and in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Appeals => "appeals",
            Self::Passports => "passports",
            Self::CaseEvents => "case_events",
            Self::Journal => "journal",
            Self::Requests => "requests",
            Self::Programmes => "programmes",
            Self::Complaints => "complaints",
            Self::Cards => "cards",
            Self::CardUses => "card_uses",
            Self::Contracts => "contracts",
            Self::ProgrammeServices => "programme_services",
            Self::ElectronicCases => "electronic_cases",
            Self::CertificateOperations => "certificate_operations",
            Self::Returns => "returns",
            Self::Leaves => "leaves",
            Self::Debts => "debts",
            Self::FamilyMembers => "family_members",
            Self::Needs => "needs",
            Self::Ratings => "ratings",
            Self::Partners => "partners",
        }
    }

    /// The region that keeps it.
    #[must_use]
    pub fn region(self) -> Region {
        match self {
            Self::Appeals
            | Self::Passports
            | Self::CaseEvents
            | Self::Returns
            | Self::Leaves
            | Self::Debts
            | Self::FamilyMembers
            | Self::Needs => Region::Samara,
            _ => Region::Leningrad,
        }
    }

    /// Names of a region's registers, for messages.
    pub(super) fn names(region: Region) -> String {
        let names = Self::ALL.into_iter().filter(|register| register.region() == region);
        names.map(|register| format!("`{}`", register.name())).collect::<Vec<_>>().join(", ")
    }

    /// Writes its files.
    pub(super) fn write(self, world: &World<'_>) -> Result<RegisterReport, GenerateError> {
        match self {
            Self::Appeals => samara::appeals::write(world),
            Self::Passports => samara::passports::write(world),
            Self::CaseEvents => samara::case_events::write(world),
            Self::Journal => leningrad::journal::write(world),
            Self::Requests => leningrad::requests::write(world),
            Self::Programmes => leningrad::programmes::write(world),
            Self::Complaints => leningrad::complaints::write(world),
            Self::Cards => leningrad::cards::write(world),
            Self::CardUses => leningrad::card_uses::write(world),
            Self::Contracts => leningrad::contracts::write(world),
            Self::ProgrammeServices => leningrad::programme_services::write(world),
            Self::ElectronicCases => leningrad::electronic_cases::write(world),
            Self::CertificateOperations => leningrad::certificate_operations::write(world),
            Self::Returns => samara::returns::write(world),
            Self::Leaves => samara::leaves::write(world),
            Self::Debts => samara::debts::write(world),
            Self::FamilyMembers => samara::family_members::write(world),
            Self::Needs => samara::needs::write(world),
            Self::Ratings => leningrad::ratings::write(world),
            Self::Partners => leningrad::partners::write(world),
        }
    }
}

impl fmt::Display for Register {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Register {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|register| register.name() == text).ok_or_else(|| {
            format!("`{text}` is not a register, expected one of {}", Self::ALL.map(Self::name).join(", "))
        })
    }
}
