"""Count repeated keys over groups of files, reusing what is cached of unchanged groups.

Files whose key ranges do not overlap share no key. Where ranges overlap, the keys of the new files
are looked up among those of the others, as hashes; a hit proves nothing, and then all files in
question are read as if nothing were cached.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from contractwatch.engines.cache.file_answers import (
    CachedFile,
    FileGroup,
    KeyGroup,
    TableAnswers,
    disjoint_groups,
    metric_digest,
    sum_answers,
)
from contractwatch.engines.core.failures import QUERY_FAILURES
from contractwatch.engines.predicates.questions import Key
from contractwatch.engines.query.engine import key_of
from contractwatch.engines.tables.frames import Frame
from contractwatch.model.measure.metric import KeyRange, SurplusRows
from contractwatch.model.measure.state import DuplicateCounts, KeyBounds

_MAX_HASHES = 20_000_000
"""More new keys than this are not looked up by hash: the hashes would fill the memory."""


@dataclass(slots=True)
class RepeatCounter:
    """Counts the repeats of one key over the file groups of a table.

    Args:
        key: The key.
        key_range: The metric for its range; every file group has an answer to it.
        file_groups: Those with cached answers come first, `cached_count` of them.
        own_repeats: The repeats within a file group that was read by itself, by index.
        open_frame: Returns the rows of some files.
        count_repeats: Returns the repeats in some files, by reading them; None without an answer.
    """

    key: SurplusRows
    key_range: KeyRange
    file_groups: Sequence[FileGroup]
    cached_count: int
    own_repeats: Mapping[int, DuplicateCounts]
    open_frame: Callable[[Iterable[CachedFile]], Frame]
    count_repeats: Callable[[Iterable[CachedFile], SurplusRows], DuplicateCounts | None]
    used_cache: bool = field(default=False, init=False)

    def key_groups(
        self, cached: TableAnswers, indices: Mapping[int, int]
    ) -> tuple[KeyGroup, ...] | None:
        """Return groups that share no key, with the repeats of each; None if one is unknown.

        Args:
            cached: The cached answers of the table.
            indices: The present index of each unchanged file group, by its index in `cached`.
        """
        spans: dict[int, KeyBounds] = {}
        digest = metric_digest(self.key_range)
        for index, group in enumerate(self.file_groups):
            span = group.answers[digest]
            assert isinstance(span, KeyBounds)
            spans[index] = span
        before = [
            (group, frozenset(indices[index] for index in group.file_groups if index in indices))
            for group in cached.key_groups.get(metric_digest(self.key), ())
        ]
        found: list[KeyGroup] = []
        for members in disjoint_groups(spans):
            repeats = self._repeats_in(members, spans, before)
            if repeats is None:
                return None
            found.append(KeyGroup(members, repeats))
        return tuple(found)

    def _repeats_in(
        self,
        members: frozenset[int],
        spans: Mapping[int, KeyBounds],
        before: Sequence[tuple[KeyGroup, frozenset[int]]],
    ) -> DuplicateCounts | None:
        rows = sum(spans[index].rows for index in members)
        if not rows:
            return DuplicateCounts()
        touching = [(group, now) for group, now in before if now & members]
        for group, now in touching:
            if now == members and len(now) == len(group.file_groups) and not group.is_partial:
                self.used_cache = True
                return group.repeats
        new = [index for index in members if index >= self.cached_count]
        if len(members) == 1 and new and (own := self.own_repeats.get(new[0])) is not None:
            return own
        seen = {index for _, now in touching for index in now}
        are_distinct = all(not group.repeats.surplus for group, _ in touching)
        old = [index for index in members if index < self.cached_count]
        if old and are_distinct and seen >= set(old) and self._are_surely_new(new, old, spans):
            self.used_cache = True
            return DuplicateCounts(rows)
        return self.count_repeats(self._files(members), self.key)

    def _files(self, indices: Iterable[int]) -> list[CachedFile]:
        return [file for index in sorted(indices) for file in self.file_groups[index].files]

    def _are_surely_new(
        self, new: Sequence[int], old: Sequence[int], spans: Mapping[int, KeyBounds]
    ) -> bool:
        """Return whether the new keys are distinct, and surely none of them is an old one."""
        own = [self.own_repeats.get(index) for index in new]
        if any(one is None or one.surplus for one in own):
            return False
        new = [index for index in new if spans[index].rows]
        if not new:
            return True
        if sum(spans[index].rows for index in new) > _MAX_HASHES:
            return False
        new_range = sum_answers([spans[index] for index in new])
        assert isinstance(new_range, KeyBounds)
        overlapping = [index for index in old if _ranges_overlap(spans[index], new_range)]
        try:
            hashes = self._key_hashes(self._files(new), None)
            if len(new) > 1 and hashes.n_unique() < len(hashes):
                return False
            return not overlapping or self._key_hashes(self._files(overlapping), hashes).is_empty()
        except QUERY_FAILURES:
            return False

    def _key_hashes(self, files: Sequence[CachedFile], among: pl.Series | None) -> pl.Series:
        """Return the hashes of the keys in files; with `among` only those that are in it."""
        frame = self.open_frame(files)
        key = key_of(frame, self.key)
        assert isinstance(key, Key)  # its range was answered
        hashes = frame.rows.select(key.hashed())
        if among is not None:
            hashes = hashes.filter(pl.col("hash").is_in(among.implode()))
        return hashes.collect(engine="streaming").to_series()


def _ranges_overlap(one: KeyBounds, other: KeyBounds) -> bool:
    """Return whether a key may lie in both ranges."""
    if not one.rows or not other.rows:
        return False
    pairs = zip(one.bounds, other.bounds, strict=False)
    return all(a[0] <= b[1] and b[0] <= a[1] for a, b in pairs)
