"""Find products whose names look like another product's, by Unicode's table of confusables."""

from collections.abc import Iterable

from contractwatch.errors import Level, Problem
from contractwatch.model.contract.contract import Contract


def confusable_problems(contracts: Iterable[Contract]) -> dict[str, Problem]:
    """Return a problem for each product that looks like one before it, by product.

    Args:
        contracts: Each of another product, those that were known first at the beginning.
    """
    products: dict[str, Contract] = {}
    domains: dict[str, Contract] = {}
    found: dict[str, Problem] = {}
    for one in contracts:
        like = products.setdefault(skeleton(one.product), one)
        if like.product != one.product:
            found[one.product] = _problem(one, "name", one.product, like, like.product)
            continue
        near = domains.setdefault(skeleton(one.domain), one) if one.domain else one
        if near.domain != one.domain:
            found[one.product] = _problem(one, "domain", one.domain, near, near.domain)
    return found


def skeleton(name: str) -> str:
    """Return a key that names share when a person cannot tell them apart (UTS 39)."""
    # Imported here: the table takes a tenth of a second to load, and `test` has no need of it.
    from disarm import skeleton_key  # noqa: PLC0415 - see above

    return skeleton_key(name, digit_policy="tr39").replace("rn", "m")


def _problem(one: Contract, key: str, name: str, other: Contract, other_name: str) -> Problem:
    what = "product" if key == "name" else "domain"
    message = (
        f"the {what} {name!r} looks like {other_name!r} of {other.file}; "
        f"expected a {key} that a reader can tell from it ({_difference(name, other_name)})"
    )
    # letters that differ by case alone are told apart by a reader who looks
    level = Level.WARNING if name.casefold() == other_name.casefold() else Level.ERROR
    return Problem(one.file, 0, key, message, level)


def _difference(name: str, other: str) -> str:
    """Say which character differs first, by its code: the two look alike."""
    for one, two in zip(name, other, strict=False):
        if one != two:
            return f"it has U+{ord(one):04X} where the other has U+{ord(two):04X}"
    return "one is longer by what cannot be seen"
