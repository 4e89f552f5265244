"""Detect personal data in text columns by its form and, where it has one, its check digit.

Texts are looked at in a pass of its own; of a hit nothing but its number leaves this file.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from contractwatch.engines.tables.frames import Frame
from contractwatch.model.promises.personal_data import (
    Detector,
    DetectorHits,
    PersonalData,
    PersonalDataHits,
    SearchedColumn,
)

_MAX_CHECKED = 10_000
"""Of more hits than these the check digits of the first ones stand for all."""

_SSN_AREA = "(?:00[1-9]|0[1-9][0-9]|[1-578][0-9]{2}|6(?:[0-57-9][0-9]|6[0-57-9]))"
_SSN_SERIAL = "(?:000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})"
_PATTERNS: Mapping[Detector, str] = {
    Detector.EMAIL: (
        r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}"
        r"[A-Za-z]{2,24}"
    ),
    Detector.PHONE: (
        r"(?:^|[^0-9A-Za-z+])(?:(?:\+|00)[1-9][0-9]{0,2}[ .()/-]{0,2}[0-9]"
        r"(?:[ .()/-]{0,2}[0-9]){6,11}|\(?[2-9][0-9]{2}\)?[ .-][0-9]{3}[ .-][0-9]{4})"
        r"(?:$|[^0-9A-Za-z])"
    ),
    Detector.IBAN: r"(?:^|[^A-Za-z0-9])([A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30})(?:$|[^A-Za-z0-9])",
    Detector.CARD: r"(?:^|[^0-9])([2-6][0-9]{3}(?:[ -]?[0-9]){9,15})(?:$|[^0-9])",
    Detector.SSN: (rf"(?:^|[^0-9-]){_SSN_AREA}-(?:0[1-9]|[1-9][0-9])-{_SSN_SERIAL}(?:$|[^0-9-])"),
    Detector.NINO: (
        r"(?:^|[^A-Za-z0-9])[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2}"
        r" ?[A-D](?:$|[^A-Za-z0-9])"
    ),
}
_IBAN_LENGTHS: Mapping[str, int] = {
    "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20,
    "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IT": 27,
    "LT": 20, "LU": 20, "LV": 21, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24,
    "SE": 24, "SI": 19, "SK": 24,
}  # fmt: skip
"""Where a number ends although capital letters follow it."""

_NO_DIGITS = re.compile(r"[^0-9]")
_NINE, _A = 9, ord("A")


def _has_iban_checksum(found: str) -> bool:
    text = found.replace(" ", "")
    text = text[: _IBAN_LENGTHS.get(text[:2], len(text))]
    turned = text[4:] + text[:4]
    digits = "".join(str(int(letter, 36)) for letter in turned)
    return int(digits) % 97 == 1


def _has_luhn_digit(found: str) -> bool:
    digits = [int(digit) for digit in _NO_DIGITS.sub("", found)]
    doubled = (2 * digit for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(d - 9 if d > _NINE else d for d in doubled)) % 10 == 0


_CHECKSUMS: Mapping[Detector, Callable[[str], bool]] = {
    Detector.IBAN: _has_iban_checksum,
    Detector.CARD: _has_luhn_digit,
}


@dataclass(frozen=True, slots=True)
class _DetectorColumns:
    """One column and detector, with the names of their numbers in the query's result."""

    column: str
    detector: Detector
    texts: str
    hits: str
    checked: str = ""


def detector_query(frame: Frame, metric: PersonalDataHits) -> pl.LazyFrame:
    """Return the query for the counts of all columns, in one row."""
    rows = frame.rows.head(metric.sample_rows) if metric.sample_rows else frame.rows
    selected: list[pl.Expr] = [pl.len().alias("rows")]
    for asked in _detector_columns(frame, metric):
        text, pattern = frame.cells[asked.column].value, _PATTERNS[asked.detector]
        if asked.texts not in {expression.meta.output_name() for expression in selected}:
            selected.append(text.is_not_null().sum().alias(asked.texts))
        selected.append(text.str.contains(pattern).sum().alias(asked.hits))
        if asked.checked:
            first = text.str.extract(pattern, 1).drop_nulls().head(_MAX_CHECKED)
            selected.append(first.implode().alias(asked.checked))
    return rows.select(selected)


def detector_hits(frame: Frame, metric: PersonalDataHits, found: pl.DataFrame) -> PersonalData:
    """Return the hits of each detector from the result of a query."""
    row = found.row(0, named=True)
    hits: list[DetectorHits] = []
    for asked in _detector_columns(frame, metric):
        count = int(row[asked.hits] or 0)
        if asked.checked and count:
            candidates: list[str] = row[asked.checked]
            right = sum(map(_CHECKSUMS[asked.detector], candidates))
            count = count * right // len(candidates)
        hits.append(DetectorHits(asked.column, asked.detector, row[asked.texts], count))
    return PersonalData(tuple(hits))


def _detector_columns(frame: Frame, metric: PersonalDataHits) -> Iterator[_DetectorColumns]:
    for at, searched in enumerate(_text_columns(frame, metric)):
        for detector in searched.detectors:
            names = (f"{at} texts", f"{at} {detector}")
            checked = f"{at} {detector} found" if detector in _CHECKSUMS else ""
            yield _DetectorColumns(searched.column, detector, *names, checked)


def _text_columns(frame: Frame, metric: PersonalDataHits) -> Iterator[SearchedColumn]:
    """Yield the columns that hold texts, by their names in the files."""
    known: set[str] = set()
    for name in metric.declared:
        column = frame.columns.find(name)
        known.add(column.name if column else name)
    for searched in metric.columns:
        column = frame.columns.find(searched.column)
        if column is not None and _holds_text(frame, column.name):
            yield SearchedColumn(column.name, searched.detectors)
    for column in frame.columns.columns:
        if metric.undeclared and column.name not in known and _holds_text(frame, column.name):
            yield SearchedColumn(column.name, metric.undeclared)


def _holds_text(frame: Frame, name: str) -> bool:
    return name in frame.cells and frame.cells[name].dtype == pl.String
