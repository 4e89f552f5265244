"""What a person picks exists in the contracts that are given, or it is wrong usage."""

from collections.abc import Iterable, Sequence

from contractwatch.errors import UsageError
from contractwatch.model.contract import Contract
from contractwatch.model.frozen import frozen
from contractwatch.model.path import Each
from contractwatch.model.server import Server
from contractwatch.odcs.place import suggestion
from contractwatch.selection import Selection, Topic, known_words

_ALL = "all"
_MOST_NAMED = 12
_NOUNS = {"rule": "quality rule has the id", "tag": "tag is", "table": "table is named"}


@frozen
class ServerChoice:
    """Which servers are run on: every one that fits; an empty wish is met by all."""

    name: str = ""
    environment: str = ""

    def among(self, contracts: Contract) -> tuple[Server, ...]:
        """Return the servers of a contract that are chosen."""
        return tuple(server for server in contracts.servers if self._fits(server))

    def lack(self) -> str:
        """Return why a contract without a chosen server is not run."""
        if not self.environment:
            return f"the contract has no server '{self.name}'"
        named = f" '{self.name}'" if self.name not in ("", _ALL) else ""
        return f"the contract has no server{named} in the environment '{self.environment}'"

    def _fits(self, server: Server) -> bool:
        is_named = self.name in ("", _ALL, server.name)
        return is_named and self.environment in ("", server.environment)


def topics_of(written: str) -> tuple[Topic, ...]:
    """Return the topics of `schema,quality,sla,custom`.

    Raises:
        UsageError: If one of them is no topic.
    """
    words = [word.strip().lower() for word in written.split(",") if word.strip()]
    for word in words:
        if word not in Topic.__members__.values():
            expected = f"expected {', '.join(Topic)}{suggestion(word, Topic)}"
            raise UsageError(f"no checks are called '{word[:60]}'; {expected}")
    return tuple(topic for topic in Topic if topic in words)


def refuse_unknown(
    selection: Selection, servers: ServerChoice, contracts: Sequence[Contract]
) -> None:
    """Refuse a word that is in none of the contracts.

    Raises:
        UsageError: With the nearest word, or those there are.
    """
    if not contracts:
        return
    every = [server for contract in contracts for server in contract.servers]
    if servers.name not in ("", _ALL):
        _refuse("server is named", servers.name, {server.name for server in every})
    if servers.environment:
        known = {server.environment for server in every if server.environment}
        _refuse("server has the environment", servers.environment, known)
    if not any(servers.among(contract) for contract in contracts) and every:
        where = f"in the environment '{servers.environment}'"
        raise UsageError(f"no server '{servers.name}' is {where}; expected both of one server")
    words = known_words(contracts)
    wished = {"rule": selection.rule_ids, "tag": (selection.tag,), "table": (selection.table,)}
    for kind, asked in wished.items():
        for word in filter(None, asked):
            _refuse(_NOUNS[kind], word, words[kind])


def refuse_unknown_columns(names: Iterable[str], contracts: Sequence[Contract]) -> None:
    """Refuse a column, or member of an object, that no table of the contracts has.

    Raises:
        UsageError: With the nearest name, or those there are.
    """
    tables = [table for contract in contracts for table in contract.tables]
    tops = [top for table in tables for top in table.columns]
    known = {one.name for top in tops for one in (top, *top.nested) if Each() not in one.inside}
    for name in names if contracts else ():
        _refuse("column is named", name, known)


def _refuse(noun: str, word: str, known: Iterable[str]) -> None:
    names = sorted(known)
    if word in names:
        return
    near = suggestion(word, names)
    rest = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    listed = f"; the contracts have: {', '.join(names[:_MOST_NAMED]) or 'none'}{rest}"
    raise UsageError(f"no {noun} '{word[:60]}'{near or listed}")
