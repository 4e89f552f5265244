"""Decide which file holds each product when several promise it.

The file that holds a product keeps it, over restarts too: the record knows it. To hand a product
over is the operator's act: remove the file that holds it, or retire its contract. A file that is
gone for a moment, as when an editor replaces it, has not handed over anything.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from contractwatch.agent.catalog.confusables import confusable_problems
from contractwatch.errors import Level, Problem
from contractwatch.model.contract.contract import Contract, Status
from contractwatch.model.record.product import ProductCard


@dataclass(frozen=True, slots=True)
class Holder:
    """The contract that a product was last run by, and the name of its file."""

    file: str
    contract_id: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A file that claims a product; a broken one has no contract."""

    file: str
    contract: Contract | None


@dataclass(frozen=True, slots=True)
class Assignment:
    """The holder of each product, problems of the other claims, and contested products.

    A product is `contested` when files promise it of which none is known to hold it, or when its
    holder is gone and may come back.
    """

    products: Mapping[str, Contract]
    problems: tuple[Problem, ...]
    contested: frozenset[str]


def holder_from_contract(contract: Contract | ProductCard) -> Holder:
    """Return what is remembered of the contract that a product is run by."""
    return Holder(contract.file, contract.contract_id, contract.fingerprint)


def assign_holders(
    claims: Iterable[Claim], holders: Mapping[str, Holder], *, kept: frozenset[str] = frozenset()
) -> Assignment:
    """Assign each product to one contract.

    Args:
        claims: All files, in the order of their paths.
        holders: By product, as of the last look or the record.
        kept: Products that no other file gets now: their holders may come back.
    """
    claims = tuple(claims)
    broken = {one.file for one in claims if one.contract is None}
    by_product: dict[str, list[Contract]] = {}
    for one in claims:
        if one.contract is not None and one.contract.status is not Status.RETIRED:
            by_product.setdefault(one.contract.product, []).append(one.contract)
    products: dict[str, Contract] = {}
    problems: list[Problem] = []
    contested: set[str] = set()
    for product, claimants in by_product.items():
        holder = holders.get(product)
        chosen, why = _choose(claimants, holder, broken, is_kept=product in kept)
        if chosen is None:
            contested.add(product)
        else:
            products[product] = chosen
        problems += (_clash(one, why) for one in claimants if one is not chosen)
    alike = _look_alikes(products, holders)
    for product in alike.keys() - holders.keys():
        if alike[product].level is Level.ERROR:
            del products[product]
    contested |= kept - by_product.keys()
    return Assignment(products, (*problems, *alike.values()), frozenset(contested))


def _choose(
    claimants: list[Contract], holder: Holder | None, broken: set[str], *, is_kept: bool
) -> tuple[Contract | None, str]:
    """Return who gets a product, and what the others are told."""
    if holder is None:
        return claimants[0], _held_by(claimants[0].file)
    for one in claimants:
        if one.file == holder.file:
            return one, _held_by(one.file)
    if holder.file in broken:
        return None, f"is held by {holder.file}, which is broken; mend that file, or remove it"
    if is_kept:
        return None, f"is held by {holder.file}, which was there a moment ago; wait some seconds"
    # the file is gone or promises something else; the same contract may have moved
    for same in (
        [one for one in claimants if one.fingerprint == holder.fingerprint][:1],
        [one for one in claimants if one.contract_id == holder.contract_id],
        claimants,
    ):
        if len(same) == 1:
            return same[0], _held_by(same[0].file)
    files = ", ".join(one.file for one in claimants)
    return None, f"is promised by several files ({files}) and none of them held it; keep one"


def _held_by(file: str) -> str:
    return (
        f"is promised by {file} already; give this one another name or domain, "
        f"or remove {file} to hand the product over"
    )


def _clash(contract: Contract, why: str) -> Problem:
    return Problem(contract.file, 0, "name", f"the product {contract.product!r} {why}")


def _look_alikes(
    products: Mapping[str, Contract], holders: Mapping[str, Holder]
) -> dict[str, Problem]:
    """Return what looks like another product; those that were known first are the models."""
    in_order = sorted(products, key=lambda product: (product not in holders, product))
    return confusable_problems(products[product] for product in in_order)
