"""Choose the engine of a pattern: Rust's if it means the same there, else one of ECMA-262."""

from dataclasses import dataclass

from contractwatch.odcs.values.regex_translation import NotTranslatableError, PatternError, to_rust


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression in Rust's dialect, or, with `ecma`, in that of ECMA-262."""

    text: str
    ecma: bool = False


def executable_pattern(pattern: str) -> Pattern:
    """Return the pattern in the dialect of the engine that can run it.

    Raises:
        PatternError: If it is no regular expression.
    """
    try:
        return Pattern(to_rust(pattern))
    except NotTranslatableError:
        _check_ecma(pattern)
        return Pattern(pattern, ecma=True)


def _check_ecma(pattern: str) -> None:
    import regress  # noqa: PLC0415 - few contracts have such a pattern

    try:
        regress.Regex(pattern, "u")
    except regress.RegressError:
        try:
            regress.Regex(pattern)
        except regress.RegressError as wrong:
            raise PatternError(str(wrong).lower().rstrip(".")) from wrong
