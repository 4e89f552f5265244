"""Route incidents to receivers: a contract names who is told, the operator configures addresses."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import chain

from contractwatch.model.base.clause import Severity
from contractwatch.model.base.receiver import Receiver, ReceiverKind
from contractwatch.model.contract.contract import (
    AlertPolicy,
    Contract,
    Route,
    Status,
    SupportChannel,
)

_SCOPES = ("notifications", "issues")
"""Without routes, the first of these scopes that any `support` entry has is told."""

_ANNOUNCEMENTS = "announcements"

_SILENT = frozenset({Status.PROPOSED, Status.DRAFT})


def grace_for(policy: AlertPolicy, severity: Severity) -> timedelta:
    """Return the grace period: that of the first matching route, else the policy's."""
    route = _first_match(policy, severity)
    return policy.grace if route is None or route.grace is None else route.grace


def receivers_for(
    contract: Contract,
    severity: Severity,
    receivers: Iterable[Receiver],
    default: Iterable[str],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the receivers for a severity, and a sentence for each name that matches none.

    The first route that matches decides; without one, the support entries of scope `notifications`,
    else those of scope `issues`. If no receiver of the operator answers to the name, the default
    receivers are told. A proposed or draft contract reaches receivers of the kind log only, and
    what is information no receiver that pages.
    """
    known = tuple(receivers)
    names = _names(contract, severity)
    found: dict[str, None] = {}
    problems: list[str] = []
    for wanted, where in names:
        answering = [one.name for one in known if _has_name(one, wanted)]
        found |= dict.fromkeys(answering)
        if not answering:
            problems.append(
                f"{where}: no receiver answers to {wanted[0]!r}; "
                "add one of that name or alias to contractwatch.toml"
            )
    chosen = tuple(found) or tuple(dict.fromkeys(default))
    if severity is Severity.INFO:
        chosen = _without_pagers(chosen, known)
    return _logs_only(chosen, contract, known), tuple(problems)


def announcement_receivers(
    contract: Contract, receivers: Iterable[Receiver], default: Iterable[str]
) -> tuple[str, ...]:
    """Return who is told that a product ends: receivers of its breaches and of `announcements`."""
    known = tuple(receivers)
    owner, _ = receivers_for(contract, Severity.INFO, known, default)
    names = (_support_names(contract, one)[0] for one in contract.support if _announces(one))
    others = [one.name for wanted in names for one in known if _has_name(one, wanted)]
    both = tuple(dict.fromkeys((*owner, *_without_pagers(others, known))))
    return _logs_only(both, contract, known)


def is_in_force(contract: Contract) -> bool:
    """Return whether receivers other than logs are told: not of a draft or proposed contract."""
    return contract.status not in _SILENT


def routing_problem(
    contract: Contract, receivers: Iterable[Receiver], default: Iterable[str]
) -> str:
    """Describe in a sentence what in a contract's routing reaches no receiver; empty if all does.

    Of a proposed or draft contract nobody needs to be told.
    """
    known, fallback = tuple(receivers), tuple(default)
    unanswered: dict[str, str] = {}
    untold: list[Severity] = []
    for severity in (Severity.ERROR, Severity.WARNING):
        chosen, _ = receivers_for(contract, severity, known, fallback)
        if not chosen and is_in_force(contract):
            untold.append(severity)
        for names, where in _names(contract, severity):
            if not any(_has_name(one, names) for one in known):
                unanswered.setdefault(names[0], where)
    if not unanswered and not untold:
        return ""
    nobody = _unreported_words(untold)
    if unanswered:
        listed = " or ".join(repr(name) for name in unanswered)
        cause = f"{next(iter(unanswered.values()))}: no receiver answers to {listed}"
        remedy = "add one of that name or alias to contractwatch.toml"
        return f"{cause}, so {nobody}; {remedy}" if nobody else f"{cause}; {remedy}"
    if contract.support and not contract.alerts.routes:
        _, where = _support_names(contract, contract.support[0])
        expected = "expected the scope 'notifications' or 'issues'"
        cause = f"{where}: scope {contract.support[0].scope!r} is told nothing"
        return f"{cause}, so {nobody}; {expected}, or default receivers in contractwatch.toml"
    remedy = "name a receiver in `support`, or set default receivers in contractwatch.toml"
    return f"{contract.file}: {nobody}; {remedy}"


def _without_pagers(names: Iterable[str], known: Iterable[Receiver]) -> tuple[str, ...]:
    """Return the names without receivers that page for every message."""
    pagers = {one.name for one in known if one.kind is ReceiverKind.PAGERDUTY}
    return tuple(name for name in names if name not in pagers)


def _logs_only(
    names: tuple[str, ...], contract: Contract, known: Iterable[Receiver]
) -> tuple[str, ...]:
    """Return all names, or only logs for a contract that is not in force."""
    if is_in_force(contract):
        return names
    logs = {one.name for one in known if one.kind is ReceiverKind.LOG}
    return tuple(name for name in names if name in logs) or tuple(sorted(logs))


def _announces(support: SupportChannel) -> bool:
    return support.scope.lower() == _ANNOUNCEMENTS


def _unreported_words(untold: Sequence[Severity]) -> str:
    """Word for which promises no receiver is told."""
    which = f"{untold[0].value} promise" if len(untold) == 1 else "promise"
    return f"nobody is told of a broken {which}" if untold else ""


def _first_match(policy: AlertPolicy, severity: Severity) -> Route | None:
    matching = (r for r in policy.routes if not r.severities or severity in r.severities)
    return next(matching, None)


def _names(contract: Contract, severity: Severity) -> tuple[tuple[tuple[str, ...], str], ...]:
    """Return the names to look up, each with its synonyms and where it is written."""
    route = _first_match(contract.alerts, severity)
    if route is not None:
        support = _support_of(contract, route.to)
        if support is None:
            return (((route.to,), f"{contract.file}: contractwatch.alerts"),)
        return (_support_names(contract, support),)
    for scope in _SCOPES:
        entries = [one for one in contract.support if one.scope.lower() == scope]
        if entries:
            return tuple(_support_names(contract, one) for one in entries)
    return ()


def _support_of(contract: Contract, name: str) -> SupportChannel | None:
    wanted = _normalized(name)
    by_id = (one for one in contract.support if _normalized(one.channel_id) == wanted)
    by_channel = (one for one in contract.support if _normalized(one.channel) == wanted)
    return next(chain(by_id, by_channel), None)


def _support_names(contract: Contract, support: SupportChannel) -> tuple[tuple[str, ...], str]:
    names = tuple(name for name in (support.channel_id, support.channel) if name)
    return names, f"{contract.file}:{support.clause.line}: {support.clause.path}"


def _has_name(receiver: Receiver, names: Iterable[str]) -> bool:
    own = {_normalized(name) for name in (receiver.name, *receiver.aliases)}
    return not own.isdisjoint(_normalized(name) for name in names)


def _normalized(name: str) -> str:
    return name.strip().lstrip("#").casefold()
