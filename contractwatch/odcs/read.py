"""Build a `Contract` from a loaded document, and collect every problem in it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from contractwatch.errors import ContractError, Level, Problem, limited_problems
from contractwatch.model.contract.contract import Contract, Status
from contractwatch.model.record.check import WRONG
from contractwatch.odcs.jsonschema.validate import add_schema_errors, upgrade_and_validate
from contractwatch.odcs.product.incremental import with_incremental
from contractwatch.odcs.product.inputs import read_inputs
from contractwatch.odcs.product.people import read_support, read_team
from contractwatch.odcs.product.policies import read_alerts, read_targets
from contractwatch.odcs.product.promise_schedules import read_promise_schedules
from contractwatch.odcs.product.schedules import read_schedule
from contractwatch.odcs.product.servers import default_zone, read_servers
from contractwatch.odcs.rules.labels import read_labels
from contractwatch.odcs.rules.references import read_addresses
from contractwatch.odcs.schema.affected_clauses import (
    AffectedClauses,
    NoValidPartError,
    is_server_path,
    server_path_of,
)
from contractwatch.odcs.schema.dangling_references import references_to_removed
from contractwatch.odcs.schema.tables import read_tables
from contractwatch.odcs.service_levels.levels import read_levels
from contractwatch.odcs.service_levels.lifetime import read_lifetime
from contractwatch.odcs.skipped_promises import skip_removed
from contractwatch.odcs.values.lint_warnings import warn_deprecated
from contractwatch.odcs.values.names import check_domain, check_product_name
from contractwatch.odcs.yaml.document import Document
from contractwatch.odcs.yaml.node import Findings, YamlNode, suggestion
from contractwatch.odcs.yaml.path_removal import without_paths
from contractwatch.odcs.yaml.unquoted_names import find_unquoted_names, with_names_as_text

_MAX_ROUNDS = 8


def read_contract(
    document: Document, *, today: date | None = None
) -> tuple[Contract, tuple[Problem, ...]]:
    """Return the contract and its warnings, in the order of the file.

    Args:
        document: The loaded document, which is not validated yet.
        today: The date by which owners have left and the status is compared with the product's
            life; without it, every member with a `dateOut` has left.

    Raises:
        ContractError: With every problem, if one of them is an error.
    """
    whole = _read_whole(document, today)
    if any(one.level is Level.ERROR for one in whole.problems):
        raise ContractError(whole.problems)
    return whole.contract, limited_problems(whole.problems)


def read_valid_part(
    document: Document, *, today: date | None = None
) -> tuple[Contract, tuple[Problem, ...]]:
    """Return the contract with its wrong clauses skipped, and every problem.

    A wrong clause is removed with those that cannot be judged without it, and the rest is read
    again until nothing in it is wrong.

    Raises:
        ContractError: With every problem, if nothing is left that can be judged.
    """
    whole = _read_whole(document, today)
    if not whole.mistakes:
        return whole.contract, limited_problems(whole.problems)
    root = YamlNode(whole.document, "", whole.document.data)
    affected, mistakes = AffectedClauses(root, whole.fatal_paths), whole.mistakes
    removed: dict[str, Problem] = {}
    for _ in range(_MAX_ROUNDS):
        try:
            removed |= _removed_by(mistakes, affected, removed)
            for path, mistake in references_to_removed(root, removed).items():
                removed.setdefault(path, mistake)
        except NoValidPartError:
            break
        rest = _read_rest(whole.document, today, removed)
        if not rest.mistakes:
            skip_removed(root, removed, whole.mistakes, rest.findings)
            return _with_skipped(rest.contract, rest.findings, removed), limited_problems(
                whole.problems
            )
        mistakes = rest.mistakes
        affected = AffectedClauses(root, rest.fatal_paths)
    raise ContractError(whole.problems)


@dataclass(frozen=True, slots=True)
class _PassResult:
    """The result of one pass over a document.

    `document` is in the newest version's forms; `mistakes` are the errors among the `problems`.
    """

    document: Document
    contract: Contract
    findings: Findings
    problems: tuple[Problem, ...]
    mistakes: tuple[Problem, ...]
    fatal_paths: frozenset[str]


def _read_whole(document: Document, today: date | None) -> _PassResult:
    """Read the whole document; names without quotes are reported, and read as text."""
    found = _read_once(document, today)
    names = find_unquoted_names(document, found.mistakes)
    if not names:
        return found
    again = _read_once(with_names_as_text(document, names), today)
    problems = sorted((*names.values(), *again.problems), key=lambda problem: problem.line)
    return replace(again, problems=tuple(problems))


def _read_once(document: Document, today: date | None) -> _PassResult:
    schema_findings = Findings(document, "", problems=list(document.mistakes))
    document = upgrade_and_validate(document, schema_findings)
    return _read_upgraded(document, today, schema_findings, frozenset())


def _read_rest(
    document: Document, today: date | None, removed: Mapping[str, Problem]
) -> _PassResult:
    """Read the document without its removed paths.

    A removed server stays in the document: it is marked as unsupported later.
    """
    paths = frozenset(removed)
    schema_findings = Findings(document, "", removed_paths=paths)
    document = without_paths(document, frozenset(one for one in paths if not is_server_path(one)))
    add_schema_errors(document, schema_findings)
    return _read_upgraded(document, today, schema_findings, paths)


def _read_upgraded(
    document: Document, today: date | None, schema_findings: Findings, removed: frozenset[str]
) -> _PassResult:
    root = YamlNode(document, "", document.data)
    findings = Findings(document, root.text("id"), removed_paths=removed)
    contract = _build_contract(root, today, findings)
    found = (*schema_findings.problems, *findings.problems)
    mistakes = [
        one for one in found if one.level is Level.ERROR and not _is_removed(one.path, removed)
    ]
    return _PassResult(
        document,
        contract,
        findings,
        _merge_problems(document, schema_findings.problems, findings.problems),
        tuple(mistakes),
        frozenset(schema_findings.fatal_paths | findings.fatal_paths),
    )


def _is_removed(path: str, removed: frozenset[str]) -> bool:
    server = server_path_of(path)
    return server in removed if server else False


def _removed_by(
    mistakes: Iterable[Problem], affected: AffectedClauses, known: Mapping[str, Problem]
) -> dict[str, Problem]:
    """Return the paths to remove for some mistakes, each with the mistake that it is removed for.

    Raises:
        NoValidPartError: If a mistake costs the whole contract, or nothing that is still there.
    """
    found: dict[str, Problem] = {}
    for mistake in mistakes:
        paths = affected.paths_of(mistake)
        if paths <= known.keys():
            raise NoValidPartError
        for path in paths - known.keys():
            found.setdefault(path, mistake)
    return found


def _with_skipped(
    contract: Contract, findings: Findings, removed: Mapping[str, Problem]
) -> Contract:
    servers = tuple(
        replace(server, unsupported=f"{WRONG}: {removed[server.clause.path]}")
        if server.clause.path in removed
        else server
        for server in contract.servers
    )
    skipped = tuple(sorted(findings.skipped, key=lambda clause: clause.clause.line))
    return replace(contract, servers=servers, skipped=skipped)


def _build_contract(root: YamlNode, today: date | None, findings: Findings) -> Contract:
    document = root.document
    warn_deprecated(root, findings)
    servers = read_servers(root, findings)
    tables = read_tables(root, default_zone(servers, root, findings), findings)
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
        domain=_domain(root, findings),
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
        promise_schedules=read_promise_schedules(root, levels, findings),
        targets=targets,
        alerts=alerts,
        addresses=read_addresses(root),
        lifetime=read_lifetime(root, today, findings),
        inputs=read_inputs(root, findings),
        labels=read_labels(root),
    )


def _name(root: YamlNode, findings: Findings) -> str:
    for key in ("id", "version"):
        if root.has(key) and isinstance(root.at(key).value, str) and not root.text(key):
            findings.error(root.at(key), f"the {key} is empty; expected some text")
    key = next((key for key in ("name", "dataProduct", "id") if root.text(key)), "")
    if key not in ("name", "dataProduct"):
        findings.warn(root, "the contract has no name; expected 'name', its id is used instead")
    if key:
        check_product_name(root.at(key), root.text(key), findings)
    return root.text(key) if key else ""


def _domain(root: YamlNode, findings: Findings) -> str:
    domain = root.text("domain")
    if domain:
        check_domain(root.at("domain"), domain, findings)
    return domain


def _status(root: YamlNode, findings: Findings) -> Status:
    written = root.text("status").lower()
    if written in Status.__members__.values():
        return Status(written)
    expected = f"expected one of {', '.join(Status)}{suggestion(written, Status)}"
    if not written:
        findings.warn(root, f"the contract has no status and is read as draft; {expected}")
    elif isinstance(root.at("status").value, str):
        message = f"unknown status '{written[:60]}' is read as draft; {expected}"
        findings.warn(root.at("status"), message)
    return Status.DRAFT


def _merge_problems(
    document: Document, schema_findings: Iterable[Problem], found: Iterable[Problem]
) -> tuple[Problem, ...]:
    """Return all problems by line; of two at one path only that of the official schema."""
    schema_findings = tuple(schema_findings)
    blamed = {problem.path for problem in schema_findings if problem.level is Level.ERROR}
    rest = (problem for problem in found if problem.path not in blamed or not problem.path)
    every = dict.fromkeys((*document.notes, *schema_findings, *rest))
    return tuple(sorted(every, key=lambda problem: problem.line))
