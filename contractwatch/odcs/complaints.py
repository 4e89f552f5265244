"""What a schema says against a value is worded, and a value that is right costs no jsonschema."""

from collections.abc import Iterator

from contractwatch.odcs.document import Document
from contractwatch.odcs.schema import Validator


def complaints(
    validator: Validator, instance: object, document: Document, base: str
) -> Iterator[tuple[str, str]]:
    """Yield path and sentence for everything that a schema says against a value."""
    if validator.accepts(instance):
        return
    # Imported here: a right contract has no need of jsonschema, which costs 0.15 s to import.
    from contractwatch.odcs.sentences import sentences_of  # noqa: PLC0415 - see above

    yield from sentences_of(validator, instance, document, base)
