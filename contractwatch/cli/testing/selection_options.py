"""Select the promises that a person picks; a name that matches nothing is wrong usage."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace

from contractwatch.cli.values import split_list
from contractwatch.errors import UsageError
from contractwatch.model.base.path import ArrayItem
from contractwatch.model.base.server import Server
from contractwatch.model.contract.contract import Contract
from contractwatch.odcs.yaml.node import suggestion
from contractwatch.selection import Selection, selectable_names

_ALL = "all"
_MOST_NAMED = 12


@dataclass(frozen=True, slots=True)
class ServerChoice:
    """The servers to run on; without names and environments, all of them."""

    names: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()

    @property
    def listed(self) -> tuple[str, ...]:
        """The names that a server must have one of; empty with `all`."""
        return () if _ALL in self.names else self.names

    def matching_servers(self, contracts: Contract) -> tuple[Server, ...]:
        """Return the servers of a contract that are chosen."""
        return tuple(server for server in contracts.servers if self._matches(server))

    def absence_reason(self) -> str:
        """Return why a contract without a chosen server is not run."""
        named = f" {_either(self.listed)}" if self.listed else ""
        where = f" in the environment {_either(self.environments)}" if self.environments else ""
        return f"the contract has no server{named}{where}"

    def _matches(self, server: Server) -> bool:
        is_named = not self.listed or server.name in self.listed
        return is_named and (not self.environments or server.environment in self.environments)


def resolve_selection(
    selection: Selection, servers: ServerChoice, contracts: Sequence[Contract]
) -> tuple[Selection, ServerChoice]:
    """Split and check the names of rules, tags, tables and servers that a person wrote.

    Args:
        selection: As a person wrote it: a word may be several names, separated by commas.
        servers: The same of servers.
        contracts: Those that are run; without one, nothing is refused.

    Raises:
        UsageError: If a word is in none of the contracts, with the nearest or those there are.
    """
    words = selectable_names(contracts)
    picked = replace(
        selection,
        rule_ids=_names(selection.rule_ids, words["rule"]),
        tags=_names(selection.tags, words["tag"]),
        tables=_names(selection.tables, words["table"]),
    )
    every = [server for contract in contracts for server in contract.servers]
    names = {server.name for server in every}
    environments = {server.environment for server in every if server.environment}
    where = ServerChoice(_names(servers.names, names), _names(servers.environments, environments))
    if contracts:
        _refuse("server is named", where.listed, names)
        _refuse("server has the environment", where.environments, environments)
        _refuse_no_server(where, contracts)
        _refuse("quality rule has the id", picked.rule_ids, words["rule"])
        _refuse("tag is", picked.tags, words["tag"])
        _refuse("table is named", picked.tables, words["table"])
    return picked, where


def resolve_columns(written: Sequence[str], contracts: Sequence[Contract]) -> tuple[str, ...]:
    """Split and check the names of columns, or of members of objects.

    Raises:
        UsageError: If no table has one of them, with the nearest name or those there are.
    """
    tops = [top for contract in contracts for table in contract.tables for top in table.columns]
    known = {one.name for top in tops for one in (top, *top.nested) if ArrayItem() not in one.path}
    names = _names(written, known)
    if contracts:
        _refuse("column is named", names, known)
    return names


def _names(written: Iterable[str], known: Container[str]) -> tuple[str, ...]:
    """Return the names that are written, each once: a comma separates, unless a name has it."""
    split = ([text] if text in known else split_list(text) for text in written)
    return tuple(dict.fromkeys(name for names in split for name in names))


def _refuse_no_server(servers: ServerChoice, contracts: Sequence[Contract]) -> None:
    has_servers = any(contract.servers for contract in contracts)
    if has_servers and not any(servers.matching_servers(contract) for contract in contracts):
        where = f"in the environment {_either(servers.environments)}"
        raise UsageError(f"no server {_either(servers.names)} is {where}; expected both of one")


def _refuse(noun: str, words: Iterable[str], known: Iterable[str]) -> None:
    names = sorted(known)
    for word in words:
        if word in names:
            continue
        near = suggestion(word, names)
        rest = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        listed = f"; the contracts have: {', '.join(names[:_MOST_NAMED]) or 'none'}{rest}"
        raise UsageError(f"no {noun} '{word[:60]}'{near or listed}")


def _either(names: Iterable[str]) -> str:
    return " or ".join(f"'{name[:60]}'" for name in names)
