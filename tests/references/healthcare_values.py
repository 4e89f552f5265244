"""The healthcare contracts beside data that keeps them, which a test may break."""

import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import polars as pl

CONTRACTS = Path(__file__).parents[2] / "contracts" / "healthcare"
MEMBERS = [f"M{number:09d}" for number in range(1, 101)]
REGIONS = ["NORTH", "SOUTH", "EAST", "WEST"]

Frames = dict[str, pl.DataFrame]


def publish(folder: Path, *, edit: Callable[[Frames], Mapping[str, pl.DataFrame]] = dict) -> Path:
    """Write the contracts and their data; return the folder."""
    shutil.copytree(CONTRACTS, folder, dirs_exist_ok=True)
    for name, frame in edit(frames()).items():
        path = folder / "data" / name / "part-0.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.write_parquet(path)
    return folder


def frames() -> Frames:
    now = datetime.now(UTC).replace(microsecond=0)
    return {
        "members": _members(now),
        "claims_events": _claims(now),
        "clinic_visits": _visits(now),
        "patient_care": _care(now),
    }


def _members(now: datetime) -> pl.DataFrame:
    size = len(MEMBERS)
    return pl.DataFrame(
        {
            "member_id": MEMBERS,
            "birth_date": [date(1980, 1, 1)] * size,
            "email": [f"{member.lower()}@example-health.test" for member in MEMBERS],
            "email_enc": ["x"] * size,
            "address": [{"postal_code": "12345", "city": "Utrecht"}] * size,
            "languages": [["nl", "en"]] * size,
            "plan_code": ["BASIC"] * size,
            "plan_start": [date(2024, 1, 1)] * size,
            "plan_end": pl.Series([None] * size, dtype=pl.Date),
            "updated_at": [now] * size,
        }
    )


def _claims(now: datetime) -> pl.DataFrame:
    """Forty events a day over eight years' ends, ten a region, each third of them paid."""
    days = [*(now - timedelta(days=back) for back in range(10)), now - timedelta(days=365 * 7 + 10)]
    rows = [(day, number) for day in days for number in range(40)]
    instants = [day for day, _ in rows]
    return pl.DataFrame(
        {
            "event_id": [str(UUID(int=position)) for position in range(len(rows))],
            "member_id": [MEMBERS[position % 100] for position in range(len(rows))],
            "claim_id": [f"C{position}" for position in range(len(rows))],
            "event_type": [("paid", "submitted", "denied")[number % 3] for _, number in rows],
            "region": [REGIONS[number % 4] for _, number in rows],
            "amount": [10.5] * len(rows),
            "event_ts": instants,
            "event_date": [instant.date() for instant in instants],
        }
    )


def _visits(now: datetime) -> pl.DataFrame:
    rows = [(back, clinic) for back in range(30) for clinic in ("A", "B")]
    starts = [(now - timedelta(days=back, hours=3)).replace(tzinfo=None) for back, _ in rows]
    return pl.DataFrame(
        {
            "clinic_id": [clinic for _, clinic in rows],
            "visit_id": [f"{back}" for back, _ in rows],
            "member_id": [None if n == 7 else MEMBERS[n % 100] for n in range(len(rows))],
            "visit_start": starts,
            "visit_end": [start + timedelta(minutes=20) for start in starts],
            "diagnosis_codes": [["A01"]] * len(rows),
            "visit_status": ["completed"] * len(rows),
            "loaded_at": [now] * len(rows),
        }
    )


def _care(now: datetime) -> pl.DataFrame:
    claims = _claims(now)
    paid = claims.filter(pl.col("event_type") == "paid")
    amounts = {
        row["member_id"]: row["amount"]
        for row in paid.group_by("member_id").agg(pl.col("amount").sum()).to_dicts()
    }
    return pl.DataFrame(
        {
            "member_id": MEMBERS,
            "care_month": [now.date().replace(day=1)] * len(MEMBERS),
            "visits_count": [1] * len(MEMBERS),
            "claims_paid_amount": [amounts.get(member, 0.0) for member in MEMBERS],
            "last_visit_date": [now.date()] * len(MEMBERS),
            "risk_score": [0.5] * len(MEMBERS),
            "computed_at": [now] * len(MEMBERS),
        }
    )
