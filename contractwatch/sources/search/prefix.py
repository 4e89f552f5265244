"""Folder of a table in a bucket, whose metadata may name no object outside of it."""

import re
from collections.abc import Collection, Set
from dataclasses import dataclass, field

from contractwatch.engines.remote.objects import SCHEME
from contractwatch.errors import SourceError
from contractwatch.model.base.server import Server
from contractwatch.model.contract.dataset import DataFile, RemoteStore
from contractwatch.sources.search.object_search import object_at, objects_below
from contractwatch.sources.search.search import MAX_FILES, location_error

_SCHEMES = (SCHEME, "s3a://")
_MAX_SINGLE_LOOKUPS = 8
_SCHEME = re.compile("[A-Za-z][A-Za-z0-9+.-]*:")
_FORBIDDEN_PARTS = frozenset({"", ".", ".."})


@dataclass(slots=True)
class Prefix:
    """Folder of one table in a bucket; `key` is that of the folder.

    What was listed is remembered: one instance serves one opening of the table.
    """

    server: Server
    remote: RemoteStore
    key: str
    _parts: dict[str, list[DataFile]] = field(default_factory=dict[str, list[DataFile]])
    _seen: dict[str, DataFile] = field(default_factory=dict[str, DataFile])

    @property
    def location(self) -> str:
        return f"{SCHEME}{self.remote.bucket}/{self.key}".rstrip("/")

    def has_folder(self, part: str) -> bool:
        return bool(self.list_files(part))

    def list_names(self, part: str) -> list[str]:
        top = f"{self.location}/{part}/"
        below = (file.path.removeprefix(top) for file in self.list_files(part))
        return [name for name in below if "/" not in name]

    def list_files(self, part: str) -> list[DataFile]:
        if part not in self._parts:
            found: list[DataFile] = []
            for key, file in objects_below(self.remote, self._key(part)):
                self._seen[key] = file
                found.append(file)
                if len(found) > MAX_FILES:
                    raise location_error(
                        self.server, f"holds a table with over {MAX_FILES:,} metadata files"
                    )
            self._parts[part] = found
        return self._parts[part]

    def is_absolute(self, named: str) -> bool:
        return named.startswith(_SCHEMES)

    def find(self, named: Collection[str]) -> dict[str, DataFile]:
        keys = {name: self._key(name) for name in named}
        unseen = set(keys.values()) - self._seen.keys()
        if len(unseen) > _MAX_SINGLE_LOOKUPS:
            self._look_up_by_listing(unseen)
        else:
            for key in unseen:
                self._seen.update(object_at(self.remote, key))
        return {name: self._seen[key] for name, key in keys.items() if key in self._seen}

    def _look_up_by_listing(self, wanted: Set[str]) -> None:
        left = set(wanted)
        for key, file in objects_below(self.remote, self.key, after=min(wanted)[:-1]):
            if key in left:
                self._seen[key] = file
                left.remove(key)
                if not left:
                    return

    def _key(self, named: str) -> str:
        """Return the key of a relative name or an object's address in the metadata."""
        relative = self._relative_to_folder(named) if self.is_absolute(named) else named
        parts = relative.split("/")
        if _SCHEME.match(relative) or _FORBIDDEN_PARTS & set(parts) or "\\" in relative:
            raise self._outside()
        return f"{self.key}/{relative}" if self.key else relative

    def _relative_to_folder(self, named: str) -> str:
        own = f"{self.location}/".removeprefix(SCHEME)
        place = named.partition("://")[2]
        if not place.startswith(own):
            raise self._outside()
        return place.removeprefix(own)

    def _outside(self) -> SourceError:
        return location_error(
            self.server, "holds a table that names files outside of its own location"
        )
