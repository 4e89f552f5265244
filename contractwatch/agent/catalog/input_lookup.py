"""Resolve the inputs of a contract to known products, and warn about those that are not."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from contractwatch.errors import Level, Problem
from contractwatch.model.base.version_range import parse_range, parse_version
from contractwatch.model.promises.upstream import Input, InputProduct
from contractwatch.scan.reference_resolver import Published, Registry


def resolve_inputs(published: Published, registry: Registry) -> tuple[InputProduct, ...]:
    """Return the products that a contract's inputs are; one that is not known has no name."""
    return tuple(_product(one, published.folder, registry) for one in published.contract.inputs)


def input_problems(published: Iterable[Published], registry: Registry) -> tuple[Problem, ...]:
    """Return a warning for each input that is not known, or is not as the contract expects it."""
    return tuple(
        Problem(one.contract.file, named.clause.line, named.clause.path, message, Level.WARNING)
        for one in published
        for named in one.contract.inputs
        for message in _doubts(named, registry.find(named.contract, one.folder))
    )


def _product(one: Input, folder: Path, registry: Registry) -> InputProduct:
    found = registry.find(one.contract, folder)
    product = "" if isinstance(found, str) else found.contract.product
    return InputProduct(one.contract, product, one.tables, one.max_lag)


def _doubts(one: Input, found: Published | str) -> Iterator[str]:
    if isinstance(found, str):
        yield f"the input is not found: {found}"
        return
    there = found.contract
    wanted, version = parse_range(one.versions), parse_version(there.version)
    if one.versions and version is None:
        yield f"the version {there.version!r} of {there.file} is no semantic one; expected 1.2.3"
    elif wanted is not None and version is not None and not wanted.contains(version):
        yield f"{there.file} has the version {there.version}; expected {one.versions}"
    for name in one.tables:
        if there.table(name) is None:
            yield f"no table of {there.file} is {name!r}"
