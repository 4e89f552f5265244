"""Print how many mutants the tests noticed, and each that they did not.

Reads what `mutmut run` left in the folder `mutants` (`make mutants` runs both). A mutant is a small
change of one function: a `<` that becomes `<=`, an `and` that becomes `or`, an argument left out.
It is killed if any test fails with it. Of the survivors, those of `equal_mutants.yaml` change
nothing that anybody could see, each with its reason there; the rest asks for a test.
"""

import difflib
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
MUTANTS = ROOT / "mutants"
EQUAL = Path(__file__).with_name("equal_mutants.yaml")

SURVIVED, NO_TESTS, NOT_RUN = (0,), (5, 33), (None,)
"""Exit codes of pytest as mutmut keeps them; any other means that a test failed or ran too long."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: the function it is in, the lines before and after, and how it ended."""

    module: str
    function: str
    number: int
    before: str
    after: str
    exit_code: int | None

    @property
    def outcome(self) -> str:
        """`killed`, `survived`, `no tests` or `not run`."""
        for codes, word in ((SURVIVED, "survived"), (NO_TESTS, "no tests"), (NOT_RUN, "not run")):
            if self.exit_code in codes:
                return word
        return "killed"


def main() -> int:
    """Print the score of each module; exit 1 if nothing was run."""
    found = [one for meta in sorted(MUTANTS.rglob("*.meta")) for one in mutants_of(meta)]
    asked = [one for one in found if one.outcome != "not run"]
    if not asked:
        print("nothing to report; run: make mutants", file=sys.stderr)
        return 1
    equal = equal_mutants()
    kinds = {one: "equal" if key_of(one) in equal else one.outcome for one in asked}
    for one, kind in kinds.items():
        if kind in ("survived", "no tests"):
            print(f"{one.module}.{one.function} #{one.number}: {kind}")
            print("".join(f"    - {line}\n" for line in one.before.splitlines()), end="")
            print("".join(f"    + {line}\n" for line in one.after.splitlines()))
    print_scores(kinds)
    return 0


def print_scores(kinds: Mapping[Mutant, str]) -> None:
    """Print a line for each module and one for all."""
    by_module: dict[str, Counter[str]] = {}
    for one, kind in kinds.items():
        by_module.setdefault(one.module, Counter())[kind] += 1
    by_module["all"] = Counter(kinds.values())
    print(f"{'module':<44}{'mutants':>8}{'killed':>8}{'equal':>7}{'alive':>7}{'score':>9}")
    for module, counts in by_module.items():
        whole = counts.total()
        alive = counts["survived"] + counts["no tests"]
        score = 100 * counts["killed"] / (whole - counts["equal"] or 1)
        print(
            f"{module:<44}{whole:>8}{counts['killed']:>8}{counts['equal']:>7}{alive:>7}{score:>8.1f}%"
        )


def mutants_of(meta: Path) -> Iterator[Mutant]:
    """Yield the mutants of one module, with the lines that each changes."""
    source = meta.with_suffix("")
    text = source.read_text()
    module = str(source.relative_to(MUTANTS).with_suffix("")).replace("/", ".")
    bodies = dict(functions_in(text))
    for key, code in json.loads(meta.read_text())["exit_code_by_key"].items():
        name, _, number = key.rsplit(".", 1)[1].rpartition("__mutmut_")
        original = bodies.get(f"{name}__mutmut_orig", "").splitlines()[1:]
        changed = bodies.get(f"{name}__mutmut_{number}", "").splitlines()[1:]
        lines = [
            line
            for line in difflib.unified_diff(original, changed, lineterm="", n=0)
            if not line.startswith(("---", "+++", "@@"))
        ]
        yield Mutant(
            module,
            re.sub(r"^xǁ(.*)ǁ", r"\1.", name).removeprefix("x_"),
            int(number),
            "\n".join(line[1:].strip() for line in lines if line.startswith("-")),
            "\n".join(line[1:].strip() for line in lines if line.startswith("+")),
            code,
        )


def functions_in(text: str) -> Iterator[tuple[str, str]]:
    """Yield each function of a mutated module with its text."""
    start = re.compile(r"^( *)(?:async )?def (\w+)\(", re.MULTILINE)
    places = list(start.finditer(text))
    for at, place in enumerate(places):
        end = places[at + 1].start() if at + 1 < len(places) else len(text)
        lines = text[place.start() : end].splitlines()
        inside = len(place[1])
        kept = [lines[0]]
        for line in lines[1:]:
            is_outside = line.strip() and len(line) - len(line.lstrip()) <= inside
            if is_outside and not line.lstrip().startswith((")", "]", "}")):
                break
            kept.append(line)
        yield place[2], "\n".join(kept).rstrip()


def equal_mutants() -> frozenset[tuple[str, str, str, str]]:
    """Return the changes that nobody could see, as `equal_mutants.yaml` lists them."""
    listed = yaml.safe_load(EQUAL.read_text()) or []
    return frozenset(
        (one["module"], one["function"], one["before"].strip(), one["after"].strip())
        for one in listed
    )


def key_of(mutant: Mutant) -> tuple[str, str, str, str]:
    """Return what a mutant is known by, whatever its number is in another version of the file."""
    return mutant.module, mutant.function, mutant.before, mutant.after


if __name__ == "__main__":
    sys.exit(main())
