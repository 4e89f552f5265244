"""Read who owns a contract (`team`) and where they are reached (`support`)."""

from dataclasses import dataclass
from datetime import date

from contractwatch.model.contract.contract import SupportChannel
from contractwatch.odcs.values.lint_warnings import warn_unknown_support
from contractwatch.odcs.yaml.node import Findings, YamlNode
from contractwatch.odcs.yaml.unique_names import check_unique

_OWNER = "owner"


@dataclass(frozen=True, slots=True)
class Team:
    """A team's name and the user names of its current owners."""

    name: str = ""
    owners: tuple[str, ...] = ()


def read_team(root: YamlNode, today: date | None, findings: Findings) -> Team:
    """Read the team, from a mapping or from the list of members of older versions.

    A member with a `dateOut` has left if it is before `today`; without `today`, in any case. An
    owner who has left is replaced by `replacedByUsername`, if that is named.
    """
    team = root.at("team")
    members = (team.at("members") if team.mapping() else team).each()
    by_name = {member.text("username"): member for member in members}
    owners: list[str] = []
    for member in members:
        if _OWNER in member.text("role").lower():
            owner = _present_member(member, by_name, today, findings)
            if owner and owner not in owners:
                owners.append(owner)
    return Team(team.text("name"), tuple(owners))


def read_support(root: YamlNode, findings: Findings) -> tuple[SupportChannel, ...]:
    """Read the support channels; one without an id is identified by its channel."""
    nodes = [node for node in root.at("support").each() if node.text("channel")]
    check_unique(nodes, "id", "id", findings)
    warn_unknown_support(nodes, findings)
    return tuple(
        SupportChannel(
            clause=node.clause,
            channel_id=node.text("id") or node.text("channel"),
            channel=node.text("channel"),
            tool=node.text("tool"),
            scope=node.text("scope"),
        )
        for node in nodes
    )


def _present_member(
    member: YamlNode, by_name: dict[str, YamlNode], today: date | None, findings: Findings
) -> str:
    """Return the user name of a member, or of the successor of one who has left."""
    seen: set[str] = set()
    while _has_left(member, today, findings):
        name, next_name = member.text("username"), member.text("replacedByUsername")
        seen.add(name)
        if next_name in seen:
            message = f"'{name}' is replaced in a circle; expected somebody who has not left"
            findings.warn(member.at("replacedByUsername"), message)
            return ""
        if next_name not in by_name:
            return next_name
        member = by_name[next_name]
    return member.text("username")


def _has_left(member: YamlNode, today: date | None, findings: Findings) -> bool:
    written = member.text("dateOut")
    if not written:
        return False
    try:
        left = date.fromisoformat(written[:10])
    except ValueError:
        findings.warn(member.at("dateOut"), "no date; expected a form such as 2026-01-31")
        return True
    return today is None or left < today
