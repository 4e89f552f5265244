"""Fuzz contracts and data files: every broken one must end in an answer.

    python -m benchmarks.fuzz --seconds 600 [--seed 1] [--keep folder]

Half of the time goes to contracts (mutated as text and as a tree), half to Parquet, CSV and JSON
files (mutated bytes, read by a worker as the agent's). A finding is an exception that is no
ContractError, a text that takes longer than five seconds, or a reading whose reason is an exception
of ours. A worker that is killed or crashes is an answer, and is counted.
"""

import argparse
import random
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

import polars as pl
import yaml

from contractwatch.errors import ContractError
from contractwatch.model.record.run import Reading
from contractwatch.odcs.load import parse_contract
from contractwatch.scan.scan import ScanJob, scan
from contractwatch.scan.workers import JobDone, JobFailed, WorkerLimits, Workers
from contractwatch.verify import asked_of_data, judge, plan

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HERE = Path(__file__).resolve().parents[1]
SLOW_SECONDS = 5.0
BROKEN_SHARE = 0.2
HOSTILE: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**63, -(2**64), 10**40, 0.5, 1e308, float("nan"), float("inf")),
    *("", " ", "\u202e", "\ud800", "a" * 5000, "(a+)+$", "[", "${X}", "../..", "P1D", "PT", "=1"),
    *(
        "2026-02-30",
        "SELECT 1",
        "SELECT * FROM t",
        "file:///etc/passwd",
        "1h",
        "\x1b[31m",
        "*",
        "-1",
    ),
    *([], {}, [[]], [None], {"": None}, {"a": {"b": {"c": {}}}}, ["a"] * 300),
)
TOKENS = (
    *("- ", ": ", "{", "}", "[", "]", "&a ", "*a", "<<: *a\n", "!!int ", "|\n", ">\n", "\t", "\n"),
    *("\x00", "\ufeff", "'", '"', "#", "%", "---\n", "...\n", "0x", "1_0", ".inf", "~", "? "),
)
CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: fuzz-1
name: fuzz
version: 1.0.0
status: active
servers:
  - {server: here, type: local, path: "t.FORMAT", format: FORMAT}
schema:
  - name: t
    quality: [{id: rows, metric: rowCount, mustBeGreaterThan: 1}]
    properties:
      - {name: id, logicalType: integer, required: true, unique: true}
      - {name: at, logicalType: timestamp, logicalTypeOptions: {minimum: "2020-01-01T00:00:00Z"}}
      - {name: name, logicalType: string, logicalTypeOptions: {pattern: "^n(?=[0-9])"}}
      - {name: tags, logicalType: array, items: {logicalType: string, required: true}}
slaProperties: [{property: latency, value: 1, unit: d, element: t.at}]
"""


def main() -> None:
    """Fuzz for a while, and say what was found; exit code 1 if there is a finding."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--seconds", type=float, default=600)
    words.add_argument("--seed", type=int, default=0)
    words.add_argument("--keep", type=Path, default=None, help="a folder for what is found")
    asked = words.parse_args()
    chance = random.Random(asked.seed or time.time_ns())
    findings: Counter[str] = Counter()
    for fuzz in (_contracts, _files):
        counts: Counter[str] = Counter()
        for outcome, finding, material in fuzz(chance, asked.seconds / 2):
            counts[outcome] += 1
            if finding:
                _keep(asked.keep, finding, material, new=finding not in findings)
                findings[finding] += 1
        print(f"{fuzz.__name__.strip('_')}: {sum(counts.values()):,} inputs; {dict(counts)}")
    for finding, times in findings.most_common():
        print(f"FOUND {times} times: {finding}")
    raise SystemExit(bool(findings))


def _keep(folder: Path | None, finding: str, material: bytes, *, new: bool) -> None:
    if folder is not None and new:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{abs(hash(finding)) % 10**8}.txt").write_text(finding)
        (folder / f"{abs(hash(finding)) % 10**8}.bin").write_bytes(material)


def _contracts(chance: random.Random, seconds: float) -> Iterator[tuple[str, str, bytes]]:
    """Yield the outcome of each mutated contract, what was found (or nothing), and its text."""
    whole, broken = HERE.glob("contracts/**/*.odcs.yaml"), HERE.glob("tests/golden/problems/*.yaml")
    texts = [[path.read_text("utf-8", "replace") for path in paths] for paths in (whole, broken)]
    texts[0].append(CONTRACT.replace("FORMAT", "csv"))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        text = chance.choice(texts[chance.random() < BROKEN_SHARE])
        mutated = _as_tree(chance, text) if chance.random() < 0.5 else _as_text(chance, text)
        raw = mutated.encode("utf-8", "surrogatepass")
        began = time.monotonic()
        outcome, finding = _contract(raw)
        took = time.monotonic() - began
        if not finding and took > SLOW_SECONDS:
            finding = f"a contract took {took:.0f} s"
        yield outcome, finding, raw


def _contract(raw: bytes) -> tuple[str, str]:
    try:
        contract, _ = parse_contract(raw, "fuzz.odcs.yaml")
        planned = plan(contract)
        server = contract.servers[0].name if contract.servers else ""
        judge(planned, Reading(server, NOW, {}, readable=None), now=NOW)
    except ContractError as error:
        str(error)
        return "refused", ""
    except Exception:
        last = traceback.format_exc().strip().splitlines()
        return "raised", " | ".join(line.strip() for line in last[-4:])
    return "accepted", ""


def _as_text(chance: random.Random, text: str) -> str:
    for _ in range(chance.choice((1, 1, 2, 4))):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice((0, 1, 2, 8, 40)))
        part = chance.choice(
            (chance.choice(TOKENS), text[start:end] * 2, "", str(chance.choice(HOSTILE)))
        )
        text = text[:start] + part + text[end:]
    return text


def _as_tree(chance: random.Random, text: str) -> str:
    try:
        tree: object = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return _as_text(chance, text)
    for _ in range(chance.choice((1, 1, 2))):
        places = list(_places(tree))
        if not places:
            break
        holder, key = chance.choice(places)
        _change(chance, holder, key, places)
    return yaml.safe_dump(tree, allow_unicode=True, sort_keys=False)


def _places(tree: object) -> Iterator[tuple[object, object]]:
    """Yield each holder with each of its keys, once: aliases make a small text a boundless tree."""
    rest, seen = [tree], set[int]()
    while rest:
        holder = rest.pop()
        if id(holder) in seen:
            continue
        seen.add(id(holder))
        if isinstance(holder, dict):
            entries = list(cast("dict[object, object]", holder).items())
        elif isinstance(holder, list):
            entries = list(enumerate(cast("list[object]", holder)))
        else:
            continue
        for key, value in entries:
            yield holder, key
            rest.append(value)


def _change(
    chance: random.Random, holder: object, key: object, places: Sequence[tuple[object, object]]
) -> None:
    """Drop, replace or repeat an entry, or put another part of the contract in its place."""
    held = cast("dict[object, object]", holder)
    other, other_key = chance.choice(places)
    match chance.randrange(5):
        case 0:
            del held[key]
        case 1 | 2:
            held[key] = deepcopy(chance.choice(HOSTILE))
        case 3:
            copied = cast("dict[object, object]", other)[other_key]
            held[key] = yaml.safe_load(yaml.safe_dump(copied))
        case _:
            if isinstance(holder, list):
                cast("list[object]", holder).append(cast("list[object]", holder)[0])
            else:
                held[str(chance.choice(HOSTILE))[:50]] = held[key]


def _files(chance: random.Random, seconds: float) -> Iterator[tuple[str, str, bytes]]:
    """Yield the outcome of each mutated file, what was found (or nothing), and its bytes."""
    workers = Workers(1, WorkerLimits(1024), preload=("contractwatch.engines.query.engine",))
    workers.start()
    with tempfile.TemporaryDirectory() as folder:
        jobs = {form: _job(Path(folder), form) for form in ("parquet", "csv", "json")}
        wholes = {form: make() for form, make in _whole_files().items()}
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            form = chance.choice(list(jobs))
            raw = _as_bytes(chance, wholes[form])
            (Path(folder) / f"t.{form}").write_bytes(raw)
            answer = workers.run(scan, jobs[form], deadline_seconds=20)
            outcome, finding = _told(answer)
            yield f"{form}: {outcome}", finding, raw
    workers.close()


def _told(answer: object) -> tuple[str, str]:
    if isinstance(answer, JobDone):
        reading = cast("Reading", answer.value)
        is_ours = reading.error.startswith("the reader failed")
        outcome = "refused" if reading.error else "read"
        return outcome, reading.error if is_ours else ""
    reason = answer.reason if isinstance(answer, JobFailed) else "cancelled"
    return reason, reason if "raised" in reason else ""


def _job(folder: Path, form: str) -> ScanJob:
    contract, _ = parse_contract(CONTRACT.replace("FORMAT", form).encode(), "fuzz.odcs.yaml")
    server = replace(contract.servers[0], path=str(folder / f"t.{form}"))
    metrics = asked_of_data(plan(contract))
    return ScanJob(server, contract.tables, metrics, (folder,), (folder,), NOW)


def _whole_files() -> dict[str, Callable[[], bytes]]:
    rows = pl.DataFrame(
        {
            "id": range(300),
            "at": [datetime(2026, 1, 1 + n % 28, tzinfo=UTC) for n in range(300)],
            "name": [f"n{n}" for n in range(300)],
            "tags": [["a", None][: n % 3] for n in range(300)],
        }
    )
    flat = rows.drop("tags").with_columns(pl.col("at").dt.to_string("iso"))
    return {
        "parquet": partial(_written, rows.write_parquet),
        "csv": partial(_written, flat.write_csv),
        "json": partial(_written, flat.write_ndjson),
    }


def _written(write: Callable[[Path], object]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t"
        write(path)
        return path.read_bytes()


def _as_bytes(chance: random.Random, whole: bytes) -> bytes:
    raw = bytearray(whole)
    # a footer, a header and the first bytes of pages are where structure is
    near = chance.choice((0, max(0, len(raw) - 600), chance.randrange(len(raw))))
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at = min(len(raw) - 1, near + chance.randrange(600))
        match chance.randrange(5):
            case 0:
                raw[at] = chance.randrange(256)
            case 1:
                raw[at] ^= 1 << chance.randrange(8)
            case 2:
                del raw[at : at + chance.choice((1, 2, 7, 100))]
            case 3:
                raw[at:at] = chance.randbytes(chance.choice((1, 4, 9)))
            case _:
                raw[at:at] = chance.choice(
                    (b"\xff" * 9, b"\x80" * 9 + b"\x01", b"\0" * 8, b'"', b"\n")
                )
        if len(raw) < 8:
            break
    return bytes(raw)


if __name__ == "__main__":
    main()
