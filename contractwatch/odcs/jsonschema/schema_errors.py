"""What a schema says against a value is worded, and a value that is right costs no jsonschema."""

from collections.abc import Iterator

from contractwatch.odcs.jsonschema.schema import Validator
from contractwatch.odcs.yaml.document import Document


def complaints(
    validator: Validator, instance: object, document: Document, base: str
) -> Iterator[tuple[str, str]]:
    """Yield path and sentence for everything that a schema says against a value."""
    if validator.accepts(instance):
        return
    # Imported here: a right contract has no need of jsonschema, which costs 0.15 s to import.
    from contractwatch.odcs.jsonschema.schema_error_messages import sentences_of  # noqa: PLC0415 - see above

    yield from sentences_of(validator, instance, document, base)
