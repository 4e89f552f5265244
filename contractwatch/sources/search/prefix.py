"""Folder of a table in a bucket; its metadata may name no object outside of it."""

import re
from collections.abc import Collection, Set
from dataclasses import dataclass, field

from contractwatch.engines.remote.objects import SCHEME
from contractwatch.errors import SourceError
from contractwatch.model.base.server import Server
from contractwatch.model.contract.dataset import DataFile, RemoteStore
from contractwatch.sources.search.object_search import object_at, objects_below
from contractwatch.sources.search.search import MAX_FILES, refused

_SCHEMES = (SCHEME, "s3a://")
_ASKED_ONE_BY_ONE = 8
_SCHEME = re.compile("[A-Za-z][A-Za-z0-9+.-]*:")
_NO_PARTS = frozenset({"", ".", ".."})


@dataclass(slots=True)
class Prefix:
    """The folder of one table in a bucket; `key` is that of the folder.

    What was listed is remembered: the place lives for one opening of the table.
    """

    server: Server
    remote: RemoteStore
    key: str
    _parts: dict[str, list[DataFile]] = field(default_factory=dict[str, list[DataFile]])
    _seen: dict[str, DataFile] = field(default_factory=dict[str, DataFile])

    @property
    def location(self) -> str:
        return f"{SCHEME}{self.remote.bucket}/{self.key}".rstrip("/")

    def has(self, part: str) -> bool:
        return bool(self.below(part))

    def names(self, part: str) -> list[str]:
        top = f"{self.location}/{part}/"
        below = (file.path.removeprefix(top) for file in self.below(part))
        return [name for name in below if "/" not in name]

    def below(self, part: str) -> list[DataFile]:
        if part not in self._parts:
            found: list[DataFile] = []
            for key, file in objects_below(self.remote, self._key(part)):
                self._seen[key] = file
                found.append(file)
                if len(found) > MAX_FILES:
                    raise refused(
                        self.server, f"holds a table whose record has over {MAX_FILES:,} files"
                    )
            self._parts[part] = found
        return self._parts[part]

    def is_whole(self, named: str) -> bool:
        return named.startswith(_SCHEMES)

    def find(self, named: Collection[str]) -> dict[str, DataFile]:
        keys = {name: self._key(name) for name in named}
        unseen = set(keys.values()) - self._seen.keys()
        if len(unseen) > _ASKED_ONE_BY_ONE:
            self._list(unseen)
        else:
            for key in unseen:
                self._seen.update(object_at(self.remote, key))
        return {name: self._seen[key] for name, key in keys.items() if key in self._seen}

    def _list(self, wanted: Set[str]) -> None:
        left = set(wanted)
        for key, file in objects_below(self.remote, self.key, after=min(wanted)[:-1]):
            if key in left:
                self._seen[key] = file
                left.remove(key)
                if not left:
                    return

    def _key(self, named: str) -> str:
        """Return the key that a record names, from the folder on or by the address of an object."""
        below = self._below(named) if self.is_whole(named) else named
        parts = below.split("/")
        if _SCHEME.match(below) or _NO_PARTS & set(parts) or "\\" in below:
            raise self._outside()
        return f"{self.key}/{below}" if self.key else below

    def _below(self, named: str) -> str:
        own = f"{self.location}/".removeprefix(SCHEME)
        place = named.partition("://")[2]
        if not place.startswith(own):
            raise self._outside()
        return place.removeprefix(own)

    def _outside(self) -> SourceError:
        return refused(self.server, "holds a table that names files outside of its own location")
