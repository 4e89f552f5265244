"""Personal data: the rule, the metrics that search for it, and their states."""

from dataclasses import dataclass
from enum import StrEnum

from contractwatch.model.base.clause import Clause, Dimension, Severity
from contractwatch.model.promises.rule import Threshold


class Detector(StrEnum):
    """Kinds of personal data that are searched for in texts."""

    EMAIL = "email"
    PHONE = "phone"
    IBAN = "iban"
    CARD = "card"
    SSN = "ssn"
    NINO = "nino"


@dataclass(frozen=True, slots=True)
class PiiRule:
    """Rule that limits the columns in which a detector hits more often than by chance.

    `columns` are the physical names of text columns with what is looked for in each; `declared` all
    physical names of the table, so that others can be told. `undeclared` is looked for in those.
    No `sample_rows` means all rows.
    """

    clause: Clause
    rule_id: str
    columns: tuple["SearchedColumn", ...]
    declared: tuple[str, ...]
    undeclared: tuple[Detector, ...]
    threshold: Threshold
    severity: Severity
    sample_rows: int = 0
    dimension: Dimension | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class SearchedColumn:
    """Column by its physical name, and the detectors to run on it."""

    column: str
    detectors: tuple[Detector, ...]


@dataclass(frozen=True, slots=True)
class PersonalDataHits:
    """In how many texts of which columns does each detector hit? Fields as those of `PiiRule`.

    Columns that are missing or hold no text are left out.
    """

    table: str
    columns: tuple[SearchedColumn, ...]
    declared: tuple[str, ...] = ()
    undeclared: tuple[Detector, ...] = ()
    sample_rows: int = 0


@dataclass(frozen=True, slots=True)
class DetectorHits:
    """Number of texts that are not null, and how many of them the detector hits; never a text."""

    column: str
    detector: Detector
    texts: int
    hits: int


@dataclass(frozen=True, slots=True)
class PersonalData:
    """Hits of each column and detector; adding adds both numbers."""

    found: tuple[DetectorHits, ...] = ()

    def __add__(self, other: "PersonalData") -> "PersonalData":
        summed: dict[tuple[str, Detector], DetectorHits] = {}
        for one in (*self.found, *other.found):
            key = (one.column, one.detector)
            before = summed.get(key, DetectorHits(*key, 0, 0))
            texts, hits = before.texts + one.texts, before.hits + one.hits
            summed[key] = DetectorHits(*key, texts, hits)
        return PersonalData(tuple(summed.values()))
