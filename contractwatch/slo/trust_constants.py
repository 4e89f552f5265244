"""Constants of the trust score ts/1; a change of any value is a new score version."""

from datetime import timedelta

from contractwatch.model.base.objective import Objective

SCORE_VERSION = "ts/1"

WINDOW = timedelta(days=56)
HALF_LIFE = timedelta(days=14)

WEIGHTS = {
    Objective.FRESHNESS: 0.25,
    Objective.SCHEMA: 0.20,
    Objective.COMPLETENESS: 0.20,
    Objective.VALIDITY: 0.15,
    Objective.AVAILABILITY: 0.10,
    Objective.UNIQUENESS: 0.05,
    Objective.VOLUME: 0.05,
}
"""Set by the platform, never by a producer; they add up to 1."""

CORE = (Objective.SCHEMA, Objective.FRESHNESS, Objective.COMPLETENESS)
"""The weakest of these counts for half of the score."""

WILSON_Z = 1.2816
"""One-sided 90 %."""

LARGEST_EVIDENCE = 200.0
"""More distinct data versions than this prove nothing more."""

FEWEST_VERSIONS = 5
"""With fewer distinct data versions there is no number."""

SMALLEST_SHARE = 0.01
NO_PROMISE_SHARE = 0.5

BREACHED_CAP = 49.0
"""Highest number while a core objective is breached."""

UNKNOWN_CAP = 69.0
"""Highest number while nothing is known of a core objective that is promised."""
