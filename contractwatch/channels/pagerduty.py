"""Send PagerDuty events, one for each transition; the incident's id is the dedup key."""

from dataclasses import replace
from typing import assert_never

from contractwatch.alerting import text
from contractwatch.channels import http
from contractwatch.channels.context import ChannelContext
from contractwatch.display import visible
from contractwatch.errors import ChannelError
from contractwatch.model.base.clause import Severity
from contractwatch.model.base.receiver import Receiver
from contractwatch.model.record.incident import (
    Notification,
    TransitionKind,
    TransitionNote,
    Urgency,
)

ENQUEUE_URL = "https://events.pagerduty.com/v2/enqueue"

_SUMMARY_CHARACTERS = 1_024  # longer ones are answered with 400 and the alert is lost
_DETAIL_LINES = 100
_DETAIL_CHARACTERS = 1_000
_SEVERITIES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "info"}


def send(notification: Notification, receiver: Receiver, context: ChannelContext) -> str:
    """Send an event for each transition; repeats are folded by the dedup key."""
    gate = context.gate(receiver)
    url = context.url(receiver, ENQUEUE_URL)
    if not receiver.key_refs:
        raise ChannelError(
            f"receiver {receiver.name} has no routing key", retryable=False, reason="config"
        )
    routing_key = context.secret(receiver.key_refs[0])
    answer = "had nothing to be told"
    for note in notification.notes:
        event = {"routing_key": routing_key, **event_of(notification, note)}
        body = http.json_body(event)
        answer = http.send(
            http.HttpPost(url, body, {"Content-Type": "application/json"}), gate, context
        )
    return answer


def event_of(notification: Notification, note: TransitionNote) -> dict[str, object]:
    """Return the event of one transition, without the routing key."""
    alone = replace(notification, notes=(note,))
    lines = text.lines(alone)[:_DETAIL_LINES]
    product = visible(notification.product, keep="")[:_SUMMARY_CHARACTERS]
    contract = f"{notification.contract_id} {notification.contract_version}"
    links = [{"href": notification.page_url, "text": "page"}] if notification.page_url else []
    return {
        "event_action": _action(note.kind),
        "dedup_key": f"contractwatch/{note.incident_id}"[:255],
        "client": "contractwatch",
        "links": links,
        "payload": {
            "summary": text.title(alone)[:_SUMMARY_CHARACTERS],
            "source": product,
            "severity": _severity(notification.urgency, note.severity),
            "timestamp": note.at.isoformat(),
            "component": note.objective.value,
            "group": product,
            "class": note.cause.value,
            "custom_details": {
                "key": notification.key,
                "contract": visible(contract, keep=""),
                "text": "\n".join(line[:_DETAIL_CHARACTERS] for line in lines),
            },
        },
    }


def _action(kind: TransitionKind) -> str:
    match kind:
        case TransitionKind.OPENED | TransitionKind.REOPENED | TransitionKind.WORSENED:
            return "trigger"
        case TransitionKind.RESOLVED | TransitionKind.WITHDRAWN:
            return "resolve"
        case _:
            assert_never(kind)


def _severity(urgency: Urgency, severity: Severity) -> str:
    if urgency is Urgency.PAGE and severity is Severity.ERROR:
        return "critical"
    return _SEVERITIES[severity]
