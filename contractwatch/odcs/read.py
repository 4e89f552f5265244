"""A document becomes a contract, or every problem of it is known."""

from collections.abc import Iterable
from datetime import date

from contractwatch.errors import ContractError, Level, Problem
from contractwatch.model.contract import Contract, Status
from contractwatch.odcs.document import Document
from contractwatch.odcs.doubtful import doubt_old
from contractwatch.odcs.incremental import with_incremental
from contractwatch.odcs.inputs import read_inputs
from contractwatch.odcs.labels import read_labels
from contractwatch.odcs.levels import read_levels
from contractwatch.odcs.lifetime import read_lifetime
from contractwatch.odcs.own_schedules import read_own_schedules
from contractwatch.odcs.people import read_support, read_team
from contractwatch.odcs.place import Findings, Place, suggestion
from contractwatch.odcs.policies import read_alerts, read_targets
from contractwatch.odcs.references import addresses_of
from contractwatch.odcs.schedules import read_schedule
from contractwatch.odcs.servers import read_servers, zone_of
from contractwatch.odcs.tables import read_tables
from contractwatch.odcs.validate import checked


def read(document: Document, *, today: date | None = None) -> tuple[Contract, tuple[Problem, ...]]:
    """Return the contract and its warnings, in the order of the file.

    Args:
        document: As it was loaded; it is validated here.
        today: To tell whether an owner has left, and whether the status goes with the dates of the
            product's life; without it, a member with a `dateOut` has left.

    Raises:
        ContractError: With every problem, if one of them is an error.
    """
    judged = Findings(document, "")
    document = checked(document, judged)
    root = Place(document, "", document.data)
    findings = Findings(document, root.text("id"))
    contract = _contract(root, today, findings)
    problems = _together(document, judged.problems, findings.problems)
    if any(problem.level is Level.ERROR for problem in problems):
        raise ContractError(problems)
    return contract, problems


def _contract(root: Place, today: date | None, findings: Findings) -> Contract:
    document = root.document
    doubt_old(root, findings)
    servers = read_servers(root, findings)
    tables = read_tables(root, zone_of(servers, root, findings), findings)
    levels = read_levels(root, tables, findings)
    team = read_team(root, today, findings)
    support = read_support(root, findings)
    schedule, targets = read_schedule(root, findings), read_targets(root, findings)
    alerts = read_alerts(root, support, findings)
    about = root.at("description")
    return Contract(
        file=document.file,
        fingerprint=document.fingerprint,
        contract_id=root.text("id"),
        name=_name(root, findings),
        version=root.text("version"),
        status=_status(root, findings),
        api_version=root.text("apiVersion"),
        domain=root.text("domain"),
        tenant=root.text("tenant"),
        purpose=about.text("purpose"),
        usage=about.text("usage"),
        limitations=about.text("limitations"),
        tags=root.texts("tags"),
        tables=with_incremental(root, tables.tables, findings),
        servers=servers,
        service_levels=levels,
        skipped=tuple(sorted(findings.skipped, key=lambda clause: clause.clause.line)),
        team=team.name,
        owners=team.owners,
        support=support,
        schedule=schedule,
        own_schedules=read_own_schedules(root, levels, findings),
        targets=targets,
        alerts=alerts,
        addresses=addresses_of(root),
        lifetime=read_lifetime(root, today, findings),
        inputs=read_inputs(root, findings),
        labels=read_labels(root),
    )


def _name(root: Place, findings: Findings) -> str:
    for key in ("id", "version"):
        if root.has(key) and isinstance(root.at(key).value, str) and not root.text(key):
            findings.error(root.at(key), f"the {key} is empty; expected some text")
    name = root.text("name") or root.text("dataProduct")
    if not name:
        findings.warn(root, "the contract has no name; expected 'name', its id is used instead")
    return name or root.text("id")


def _status(root: Place, findings: Findings) -> Status:
    written = root.text("status").lower()
    if written in Status.__members__.values():
        return Status(written)
    expected = f"expected one of {', '.join(Status)}{suggestion(written, Status)}"
    if not written:
        findings.warn(root, f"the contract has no status and counts as draft; {expected}")
    elif isinstance(root.at("status").value, str):
        message = f"unknown status '{written[:60]}' counts as draft; {expected}"
        findings.warn(root.at("status"), message)
    return Status.DRAFT


def _together(
    document: Document, judged: Iterable[Problem], found: Iterable[Problem]
) -> tuple[Problem, ...]:
    """Return all problems by line; of two about one place, what the official schema says."""
    judged = tuple(judged)
    blamed = {problem.path for problem in judged if problem.level is Level.ERROR}
    rest = (problem for problem in found if problem.path not in blamed or not problem.path)
    every = dict.fromkeys((*document.notes, *judged, *rest))
    return tuple(sorted(every, key=lambda problem: problem.line))
