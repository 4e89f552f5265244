"""Compile a date format of the JDK (DateTimeFormatter) into a regular expression with typed groups.

Letter counts are widths: `yyyy` is four digits, `MM` two, `M` one or more, `.SSS` three. The names
of months and days and the words AM and PM are English, in the JDK's own case. Years are 1 to 9999,
and a date must exist (the JDK's default would take 31 February for the 28th).

Both Rust's engine and Python's `re` read the expression, so that cells, and the bounds of a
contract, are read by one rule.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

from contractwatch.model.contract.contract import LogicalType

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MOST_LETTERS = 200


class DateFormatError(ValueError):
    """Raised for a date format that cannot be executed exactly; says which part and why."""


class DateField(StrEnum):
    """Part of a date or time that a group of the expression holds."""

    YEAR = "year"
    MONTH = "month"
    DAY = "day"
    DAY_OF_YEAR = "day of the year"
    WEEKDAY = "day of the week"
    HOUR = "hour"
    HALF_DAY_HOUR = "hour of half a day"
    HALF_DAY = "AM or PM"
    MINUTE = "minute"
    SECOND = "second"
    NANOSECOND = "fraction"
    UTC = "no offset"
    OFFSET_SIGN = "sign of the offset"
    OFFSET_HOUR = "hours of the offset"
    OFFSET_MINUTE = "minutes of the offset"
    OFFSET_SECOND = "seconds of the offset"


@dataclass(frozen=True, slots=True)
class PatternGroup:
    """Group of the expression, and how its text becomes a whole number.

    With `names` it is the position of the name, counted from `plus`. Else the digits make a number,
    which counts modulo `modulo` if that is not 0, and then becomes `number * times + plus`.
    """

    field: DateField
    names: tuple[str, ...] = ()
    modulo: int = 0
    times: int = 1
    plus: int = 0


@dataclass(frozen=True, slots=True)
class DateFormat:
    """A compiled format.

    `expression` matches a whole text; its groups are `groups`, in their order. By `directives`
    chrono reads the same texts, once the expression has matched; they are empty if it cannot.
    """

    written: str
    logical_type: LogicalType
    expression: str
    groups: tuple[PatternGroup, ...]
    directives: str = ""

    def has(self, *fields: DateField) -> bool:
        """Return whether the format has a group for each of the fields."""
        return {group.field for group in self.groups}.issuperset(fields)

    def parse(self, text: str) -> datetime | None:
        """Return the moment that a text tells, with its offset if it has one; None if it is none.

        A time of day is of 1 January 1970; a text without an hour is of midnight.
        """
        found = re.fullmatch(self.expression, text)
        if found is None:
            return None
        values: dict[DateField, int] = {}
        for group, part in zip(self.groups, found.groups(), strict=True):
            if part is None:
                continue
            number = _number(group, part)
            if values.setdefault(group.field, number) != number:
                return None
        is_time = self.logical_type is LogicalType.TIME
        if is_time and not values.keys() & {DateField.HOUR, DateField.HALF_DAY_HOUR}:
            return None
        is_dated = not is_time or self.has(DateField.YEAR)
        return _moment(values, is_dated=is_dated)


def _number(group: PatternGroup, part: str) -> int:
    if group.names:
        return group.names.index(part) + group.plus
    number = int(part)
    return (number % group.modulo if group.modulo else number) * group.times + group.plus


def _moment(values: Mapping[DateField, int], *, is_dated: bool) -> datetime | None:
    try:
        day = _day(values) if is_dated else date(1970, 1, 1)
        hour = _hour(values)
        if day is None or hour is None:
            return None
        micros = values.get(DateField.NANOSECOND, 0) // 1000
        second, minute = values.get(DateField.SECOND, 0), values.get(DateField.MINUTE, 0)
        zone = _zone(values)
        return datetime(day.year, day.month, day.day, hour, minute, second, micros, zone)
    except (ValueError, OverflowError):
        return None


def _day(values: Mapping[DateField, int]) -> date | None:
    if DateField.YEAR not in values:
        return None
    year, found = values[DateField.YEAR], list[date]()
    if DateField.MONTH in values and DateField.DAY in values:
        found.append(date(year, values[DateField.MONTH], values[DateField.DAY]))
    if DateField.DAY_OF_YEAR in values:
        found.append(date(year, 1, 1) + timedelta(days=values[DateField.DAY_OF_YEAR] - 1))
    if not found or found[0] != found[-1] or found[0].year != year:
        return None
    weekday = values.get(DateField.WEEKDAY, found[0].isoweekday())
    return found[0] if weekday == found[0].isoweekday() else None


def _hour(values: Mapping[DateField, int]) -> int | None:
    """Return the hour of the day, 0 if there is none; None if the parts do not make one."""
    half, of_half = values.get(DateField.HALF_DAY), values.get(DateField.HALF_DAY_HOUR)
    hour = values.get(DateField.HOUR)
    if hour is None and half is not None and of_half is not None:
        hour = half * 12 + of_half
    if hour is None:
        return (
            None
            if values.keys() & {DateField.MINUTE, DateField.SECOND, DateField.NANOSECOND}
            else 0
        )
    finer = (DateField.NANOSECOND, DateField.SECOND, DateField.MINUTE)
    if any(low in values and high not in values for low, high in pairwise(finer)):
        return None
    agrees = half in {None, hour // 12} and of_half in {None, hour % 12}
    return hour if agrees else None


def _zone(values: Mapping[DateField, int]) -> timezone | None:
    if DateField.UTC in values and DateField.OFFSET_HOUR not in values:
        return UTC
    if DateField.OFFSET_HOUR not in values:
        return None
    seconds = (
        values[DateField.OFFSET_HOUR] * 3600
        + values.get(DateField.OFFSET_MINUTE, 0) * 60
        + values.get(DateField.OFFSET_SECOND, 0)
    )
    return timezone(timedelta(seconds=values[DateField.OFFSET_SIGN] * seconds))


@lru_cache(maxsize=1024)
def compile_format(written: str, logical_type: LogicalType) -> DateFormat:
    """Return the format of a column of dates, timestamps or times of day.

    Args:
        written: As the contract has it.
        logical_type: Of the column.

    Raises:
        DateFormatError: If it cannot be executed exactly, or tells no value of the type.
    """
    if len(written) > MOST_LETTERS:
        raise DateFormatError(f"the date format is longer than {MOST_LETTERS} characters")
    if is_epoch_format(written):
        raise DateFormatError(
            f"the date format '{written}' means a count of seconds since 1970, which is a number"
        )
    found = _FormatCompiler(written, logical_type).compile()
    _refuse_incomplete(found, logical_type)
    return found


def is_epoch_format(written: str) -> bool:
    """Return whether a format is a word for the seconds, or finer, since 1970."""
    return _SECONDS.fullmatch(written) is not None


def _refuse_incomplete(found: DateFormat, logical_type: LogicalType) -> None:
    """Raise DateFormatError if no text of the format could tell a value of the type."""
    shown = f"the date format '{found.written}'"
    if logical_type is not LogicalType.TIME and not (
        found.has(DateField.YEAR, DateField.MONTH, DateField.DAY)
        or found.has(DateField.YEAR, DateField.DAY_OF_YEAR)
    ):
        needed = (
            (DateField.YEAR, "year (yyyy)"),
            (DateField.MONTH, "month (MM)"),
            (DateField.DAY, "day (dd)"),
        )
        lacking = next(word for field, word in needed if not found.has(field))
        raise DateFormatError(f"{shown} has no {lacking}")
    has_hour = found.has(DateField.HOUR) or found.has(DateField.HALF_DAY, DateField.HALF_DAY_HOUR)
    if found.has(DateField.HALF_DAY_HOUR) and not has_hour:
        raise DateFormatError(f"{shown} has an hour of half a day (h) without AM or PM (a)")
    if not has_hour and (logical_type is LogicalType.TIME or found.has(DateField.MINUTE)):
        raise DateFormatError(f"{shown} has no hour (HH)")
    if found.has(DateField.SECOND) and not found.has(DateField.MINUTE):
        raise DateFormatError(f"{shown} has no minute (mm)")
    if found.has(DateField.NANOSECOND) and not found.has(DateField.SECOND):
        raise DateFormatError(f"{shown} has no second (ss)")
    if logical_type is LogicalType.TIME and found.has(DateField.OFFSET_SIGN):
        raise DateFormatError(f"{shown} has an offset, without which times of day are compared")


_WHY_NOT = {
    "Y": "it is the year of weeks",
    "D": "it is the day of the year, which has one or three letters",
    "w": "it is the week, which names no day",
    "W": "it is the week, which names no day",
    "Q": "it is the quarter, which names no day",
    "q": "it is the quarter, which names no day",
    "G": "it is the era",
    "z": "it is a zone's name, which has more than one offset; write X or XXX for an offset",
    "v": "it is a zone's name, which has more than one offset; write X or XXX for an offset",
    "V": "it is a zone's name, which has more than one offset; write X or XXX for an offset",
    "e": "it is the local number of the day of the week; write EEE or EEEE for its name",
    "c": "it is the local number of the day of the week; write EEE or EEEE for its name",
    "B": "it is the period of the day; write a for AM or PM",
    "A": "it is the milliseconds of the day",
    "N": "it is the nanoseconds of the day",
    "n": "it is the nanoseconds of the second; write S for a fraction",
    "p": "it is padding",
    "g": "it is the Julian day",
    "F": "it is the week of the month",
}
"""Letters of the JDK that are not executed."""

_SECONDS = re.compile("[a-z0-9_ -]*(?:epoch|unix|posix)[a-z0-9_ -]*", re.IGNORECASE)
"""What a count of seconds is called: by its letters it would mean parts of a date."""

_YEAR = "(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
"""Four digits, without the year 0."""

_SIGN, _HOURS, _MINUTES = "([+-])", "(0[0-9]|1[0-7])", "([0-5][0-9])"
"""Offsets go up to 18:00, which is written as a case of its own."""

_OFFSETS = {
    "": (f"{_HOURS}(?:{_MINUTES})?|(18)(?:(00))?", "hmhm"),
    "mm": (f"{_HOURS}{_MINUTES}|(18)(00)", "hmhm"),
    ":mm": (f"{_HOURS}:{_MINUTES}|(18):(00)", "hmhm"),
    "mm[ss]": (f"{_HOURS}{_MINUTES}(?:{_MINUTES})?|(18)(00)(?:(00))?", "hmshms"),
    ":mm[:ss]": (f"{_HOURS}:{_MINUTES}(?::{_MINUTES})?|(18):(00)(?::(00))?", "hmshms"),
    "[:mm[:ss]]": (
        f"(0?[0-9]|1[0-7])(?::{_MINUTES}(?::{_MINUTES})?)?|(18)(?::(00)(?::(00))?)?",
        "hmshms",
    ),
    "[:]mm": (f"{_HOURS}:?{_MINUTES}|(18):?(00)", "hmhm"),
}
"""What stands after the sign of an offset, by its form after the hours, and what its groups are."""

_OF_OFFSETS = frozenset(
    {
        DateField.UTC,
        DateField.OFFSET_SIGN,
        DateField.OFFSET_HOUR,
        DateField.OFFSET_MINUTE,
        DateField.OFFSET_SECOND,
    }
)
_PARTS_OF_OFFSETS = {
    "h": PatternGroup(DateField.OFFSET_HOUR),
    "m": PatternGroup(DateField.OFFSET_MINUTE),
    "s": PatternGroup(DateField.OFFSET_SECOND),
}


@dataclass(frozen=True, slots=True)
class _LetterRun:
    """What a run of one letter means: an expression, its groups, chrono's directive if it has one.

    A number is of any width (`VARIABLE`), of a fixed one (`FIXED`), or a fraction; a text is none.
    """

    expression: str
    groups: tuple[PatternGroup, ...]
    kind: str
    directive: str = ""


_TEXT, _FIXED, _VARIABLE, _FRACTION = "text", "fixed", "variable", "fraction"


def _number_run(digits: str, group: PatternGroup, kind: str, directive: str = "") -> _LetterRun:
    return _LetterRun(f"({digits})", (group,), kind, directive)


def _name_run(
    field: DateField, names: tuple[str, ...], directive: str = "", *, plus: int
) -> _LetterRun:
    return _LetterRun(
        f"({'|'.join(names)})", (PatternGroup(field, names=names, plus=plus),), _TEXT, directive
    )


def _offset_run(form: str, zero: str = "", before: str = "") -> _LetterRun:
    expression, parts = _OFFSETS[form]
    none = f"|({zero})" if zero else ""
    groups = [PatternGroup(DateField.OFFSET_SIGN, names=("-", "", "+"), plus=-1)]
    groups += [_PARTS_OF_OFFSETS[part] for part in parts]
    groups += [PatternGroup(DateField.UTC, names=(zero,))] if zero else []
    directive = "%#z" if form in {"", "mm", ":mm", "[:]mm"} and not before else ""
    return _LetterRun(f"(?:{before}{_SIGN}(?:{expression}){none})", tuple(groups), _TEXT, directive)


def _two_digit_runs() -> Iterator[tuple[str, _LetterRun]]:
    """Yield the letters of two digits, or of one or more."""
    for letter, field, two, more, directive, modulo in (
        ("M", DateField.MONTH, "0[1-9]|1[0-2]", "[1-9]|1[0-2]", "%m", 0),
        ("L", DateField.MONTH, "0[1-9]|1[0-2]", "[1-9]|1[0-2]", "%m", 0),
        ("d", DateField.DAY, "0[1-9]|[12][0-9]|3[01]", "[1-9]|[12][0-9]|3[01]", "%d", 0),
        ("H", DateField.HOUR, "[01][0-9]|2[0-3]", "[0-9]|1[0-9]|2[0-3]", "%H", 0),
        ("k", DateField.HOUR, "0[1-9]|1[0-9]|2[0-4]", "[1-9]|1[0-9]|2[0-4]", "", 24),
        ("K", DateField.HALF_DAY_HOUR, "0[0-9]|1[01]", "[0-9]|1[01]", "", 0),
        ("h", DateField.HALF_DAY_HOUR, "0[1-9]|1[0-2]", "[1-9]|1[0-2]", "", 12),
        ("m", DateField.MINUTE, "[0-5][0-9]", "[0-9]|[1-5][0-9]", "%M", 0),
        ("s", DateField.SECOND, "[0-5][0-9]", "[0-9]|[1-5][0-9]", "%S", 0),
    ):
        group = PatternGroup(field, modulo=modulo)
        yield letter * 2, _number_run(two, group, _FIXED, directive)
        yield letter, _number_run(f"0{{0,17}}(?:{more})", group, _VARIABLE)


def _other_runs() -> Iterator[tuple[str, _LetterRun]]:
    short_months, short_days = ([name[:3] for name in names] for names in (MONTHS, DAYS))
    for letter in "ML":
        yield letter * 3, _name_run(DateField.MONTH, tuple(short_months), "%b", plus=1)
        yield letter * 4, _name_run(DateField.MONTH, MONTHS, "%B", plus=1)
    for letters in ("E", "EE", "EEE"):
        yield letters, _name_run(DateField.WEEKDAY, tuple(short_days), plus=1)
    yield "EEEE", _name_run(DateField.WEEKDAY, DAYS, plus=1)
    yield "a", _name_run(DateField.HALF_DAY, ("AM", "PM"), plus=0)
    yield "DDD", _number_run("[0-9]{3}", PatternGroup(DateField.DAY_OF_YEAR), _FIXED, "%j")
    yield "D", _number_run("[0-9]{1,19}", PatternGroup(DateField.DAY_OF_YEAR), _VARIABLE)
    for letter in "yu":
        yield letter * 2, _number_run("[0-9]{2}", PatternGroup(DateField.YEAR, plus=2000), _FIXED)
        for count in (1, 3):
            yield (
                letter * count,
                _number_run(f"[0-9]{{{count},19}}", PatternGroup(DateField.YEAR), _VARIABLE),
            )
        for count in range(4, 10):
            # longer years have a sign in the JDK, and are beyond 9999
            directive = "" if letter * count not in {"yyyy", "uuuu"} else "%Y"
            digits = f"0{{{count - 4}}}{_YEAR}"
            yield (
                letter * count,
                _number_run(digits, PatternGroup(DateField.YEAR), _FIXED, directive),
            )
    for count in range(1, 10):
        times = 10 ** (9 - count)
        yield (
            "S" * count,
            _number_run(
                f"[0-9]{{{count}}}", PatternGroup(DateField.NANOSECOND, times=times), _FRACTION
            ),
        )


def _offset_runs() -> Iterator[tuple[str, _LetterRun]]:
    for count, form in enumerate(("", "mm", ":mm", "mm[ss]", ":mm[:ss]"), 1):
        yield "X" * count, _offset_run(form, "Z")
        yield "x" * count, _offset_run(form)
    for count in (1, 2, 3):
        yield "Z" * count, _offset_run("mm")
    for letters in ("ZZZZ", "OOOO"):
        yield letters, _offset_run(":mm[:ss]", "GMT", "GMT")
    yield "O", _offset_run("[:mm[:ss]]", "GMT", "GMT")
    yield "ZZZZZ", _offset_run(":mm[:ss]", "Z")


_RUNS: Mapping[str, _LetterRun] = dict((*_two_digit_runs(), *_other_runs(), *_offset_runs()))
"""All letters that are executed."""

_Z_OF_THE_STANDARD = _offset_run("[:]mm", "Z")
_LETTERS = frozenset(letters[0] for letters in _RUNS)
_FRACTIONS = {"SSS": "%.3f", "SSSSSS": "%.6f", "SSSSSSSSS": "%.9f"}
_RESERVED = frozenset("{}#")
_TOKEN = re.compile(
    r"'(?P<quoted>(?:[^']|'')*)'|(?P<letter>[A-Za-z])(?P=letter)*|[^A-Za-z']", re.DOTALL
)


class _FormatCompiler:
    """Turns the tokens of one pattern into an expression, from left to right."""

    def __init__(self, written: str, logical_type: LogicalType) -> None:
        self.written = written
        self.logical_type = logical_type
        # An unquoted T is how the standard writes its formats; its Z is then the Z of ISO-8601.
        self.is_of_standard = "T" in re.sub("'[^']*'", "", written)
        self.expression: list[str] = []
        self.groups: list[PatternGroup] = []
        self.directives: list[str] | None = []
        self.always_told: set[DateField] = set()
        self.depth = 0
        self.open_number = ""
        self.is_split = False

    def compile(self) -> DateFormat:
        """Return the format.

        Raises:
            DateFormatError: If a part of it is not executed, or if its parts are ambiguous.
        """
        for token in self._tokens():
            self._add(token.group(), token["letter"], token["quoted"])
        if not self.groups:
            raise DateFormatError(
                f"the date format '{self.written}' has no letter of a date or time"
            )
        expression = "".join(self.expression) + ")?" * self.depth
        fields = [group.field for group in self.groups if group.field not in _OF_OFFSETS]
        is_plain = self.directives is not None and len(set(fields)) == len(fields)
        return DateFormat(
            self.written,
            self.logical_type,
            f"^{expression}$",
            tuple(self.groups),
            "".join(self.directives or ()) if is_plain else "",
        )

    def _tokens(self) -> Iterator[re.Match[str]]:
        at = 0
        while at < len(self.written):
            found = _TOKEN.match(self.written, at)
            if found is None:
                raise DateFormatError("a quote of the date format is not closed")
            yield found
            at = found.end()

    def _add(self, text: str, letter: str | None, quoted: str | None) -> None:
        if quoted is not None:
            self._literal(quoted.replace("''", "'") or "'")
        elif letter is not None and text != "T":
            self._letters(text)
        elif text in {"[", "]"}:
            self._bracket(text)
        elif text in _RESERVED:
            raise DateFormatError(
                f"'{text}' of the date format stands for nothing; write '{text}' in quotes"
            )
        else:
            self._literal(text)

    def _literal(self, text: str) -> None:
        self.open_number, self.is_split = "", False
        self.expression.append(_escaped(text))
        is_plain = text.isascii() and not (text.isspace() and text != " ")
        self._direct(text.replace("%", "%%") if is_plain else "")

    def _direct(self, directive: str) -> None:
        """Add chrono's directive, or note that there is none."""
        if self.directives is not None and directive:
            self.directives.append(directive)
        else:
            self.directives = None

    def _bracket(self, bracket: str) -> None:
        self.directives = None
        self.is_split = True
        if bracket == "[":
            self.depth += 1
            self.expression.append("(?:")
        elif self.depth:
            self.depth -= 1
            self.expression.append(")?")
        else:
            raise DateFormatError("']' of the date format closes nothing; write '[' before it")

    def _letters(self, letters: str) -> None:
        run = _RUNS.get(letters)
        if run is None:
            raise DateFormatError(_unsupported_message(letters))
        if letters in {"Z", "ZZ", "ZZZ"} and self.is_of_standard:
            run = _Z_OF_THE_STANDARD
        self._refuse_unclear_end(letters, run)
        self.expression.append(run.expression)
        for group in run.groups if run.kind != _TEXT or len(run.groups) == 1 else ():
            self._refuse_twice(group.field)
        self.groups.extend(run.groups)
        if run.kind == _FRACTION and letters in _FRACTIONS and self.directives:
            self._direct(_FRACTIONS[letters] if self.directives.pop() == "." else "")
        else:
            self._direct(run.directive)

    def _refuse_unclear_end(self, letters: str, run: _LetterRun) -> None:
        """Raise DateFormatError where a number of any width stands right before another one."""
        if run.kind == _TEXT:
            self.open_number = ""
        elif self.open_number and (self.is_split or run.kind != _FIXED):
            raise DateFormatError(
                f"where '{self.open_number}' ends before '{letters}' cannot be told; write"
                f" '{self.open_number * 2}', or a character between them"
            )
        elif run.kind == _VARIABLE:
            self.open_number = letters
        self.is_split = False

    def _refuse_twice(self, field: DateField) -> None:
        if self.depth:
            return
        if field in self.always_told:
            raise DateFormatError(f"the date format '{self.written}' has the {field} twice")
        self.always_told.add(field)


def _unsupported_message(letters: str) -> str:
    shown = f"'{letters[:20]}' of the date format is not read"
    why = _WHY_NOT.get(letters[0], "") or (
        "so many letters of this kind have no meaning" if letters[0] in _LETTERS else ""
    )
    return f"{shown}: {why}" if why else shown


def _escaped(text: str) -> str:
    return "".join(c if c.isalnum() or c in " ,:/-_" or not c.isascii() else f"\\{c}" for c in text)
