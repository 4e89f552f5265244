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
    digest_of,
    disjoint_groups,
    summed,
)
from contractwatch.engines.core.failures import QUERY_FAILURES
from contractwatch.engines.predicates.questions import Key
from contractwatch.engines.query.engine import key_of
from contractwatch.engines.tables.frames import Frame
from contractwatch.model.measure.metric import KeyRange, SurplusRows
from contractwatch.model.measure.state import DuplicateCounts, KeyBounds

_MOST_HASHES = 20_000_000
"""More new keys than these are not looked for among the others: they would fill the memory."""


@dataclass(slots=True)
class KeyProof:
    """One key over the bundles of a table.

    Args:
        key: The key, and `range_question` the question for its range, which is answered.
        bundles: Those that were known before come first, `known_before` of them.
        own: What bundles that were read by themselves answered.
        frame: Returns the rows of some files.
        repeats: Returns the repeats in some files, read now; None if there is no answer.
    """

    key: SurplusRows
    range_question: KeyRange
    bundles: Sequence[FileGroup]
    known_before: int
    own: Mapping[int, DuplicateCounts]
    frame: Callable[[Iterable[CachedFile]], Frame]
    repeats: Callable[[Iterable[CachedFile], SurplusRows], DuplicateCounts | None]
    rests_on_state: bool = field(default=False, init=False)

    def groups(self, known: TableAnswers, places: Mapping[int, int]) -> tuple[KeyGroup, ...] | None:
        """Return groups of bundles that share no key, with the repeats of each; None if unknown.

        Args:
            known: What was kept before.
            places: The places that the kept bundles have now, by those that they had.
        """
        spans: dict[int, KeyBounds] = {}
        question = digest_of(self.range_question)
        for at, bundle in enumerate(self.bundles):
            span = bundle.answers[question]
            assert isinstance(span, KeyBounds)
            spans[at] = span
        before = [
            (group, frozenset(places[place] for place in group.bundles if place in places))
            for group in known.groups.get(digest_of(self.key), ())
        ]
        found: list[KeyGroup] = []
        for members in disjoint_groups(spans):
            repeats = self._of(members, spans, before)
            if repeats is None:
                return None
            found.append(KeyGroup(members, repeats))
        return tuple(found)

    def _of(
        self,
        members: frozenset[int],
        spans: Mapping[int, KeyBounds],
        before: Sequence[tuple[KeyGroup, frozenset[int]]],
    ) -> DuplicateCounts | None:
        rows = sum(spans[at].rows for at in members)
        if not rows:
            return DuplicateCounts()
        touching = [(group, now) for group, now in before if now & members]
        for group, now in touching:
            if now == members and len(now) == len(group.bundles) and not group.shrunk:
                self.rests_on_state = True
                return group.repeats
        new = [at for at in members if at >= self.known_before]
        if len(members) == 1 and new and (own := self.own.get(new[0])) is not None:
            return own
        seen = {at for _, now in touching for at in now}
        are_distinct = all(not group.repeats.surplus for group, _ in touching)
        old = [at for at in members if at < self.known_before]
        if old and are_distinct and seen >= set(old) and self._are_new(new, old, spans):
            self.rests_on_state = True
            return DuplicateCounts(rows)
        return self.repeats(self._files(members), self.key)

    def _files(self, places: Iterable[int]) -> list[CachedFile]:
        return [file for at in sorted(places) for file in self.bundles[at].files]

    def _are_new(
        self, new: Sequence[int], old: Sequence[int], spans: Mapping[int, KeyBounds]
    ) -> bool:
        """Return whether new keys are distinct, and are surely none of the old ones."""
        own = [self.own.get(at) for at in new]
        if any(one is None or one.surplus for one in own):
            return False
        new = [at for at in new if spans[at].rows]
        if not new:
            return True
        if sum(spans[at].rows for at in new) > _MOST_HASHES:
            return False
        range_of_new = summed([spans[at] for at in new])
        assert isinstance(range_of_new, KeyBounds)
        met = [at for at in old if _may_meet(spans[at], range_of_new)]
        try:
            hashes = self._hashes(self._files(new), None)
            if len(new) > 1 and hashes.n_unique() < len(hashes):
                return False
            return not met or self._hashes(self._files(met), hashes).is_empty()
        except QUERY_FAILURES:
            return False

    def _hashes(self, files: Sequence[CachedFile], among: pl.Series | None) -> pl.Series:
        """Return the hashes of the keys in files, of all or of those among some."""
        frame = self.frame(files)
        key = key_of(frame, self.key)
        assert isinstance(key, Key)  # its range was answered
        hashes = frame.rows.select(key.hashed())
        if among is not None:
            hashes = hashes.filter(pl.col("hash").is_in(among.implode()))
        return hashes.collect(engine="streaming").to_series()


def _may_meet(one: KeyBounds, other: KeyBounds) -> bool:
    """Return whether two ranges may hold one key."""
    if not one.rows or not other.rows:
        return False
    pairs = zip(one.bounds, other.bounds, strict=False)
    return all(a[0] <= b[1] and b[0] <= a[1] for a, b in pairs)
