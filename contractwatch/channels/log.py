"""Write messages to the agent's log, one event each."""

import structlog

from contractwatch.alerting import text
from contractwatch.channels.context import ChannelContext
from contractwatch.model.base.receiver import Receiver
from contractwatch.model.record.incident import Notification


def send(notification: Notification, receiver: Receiver, context: ChannelContext) -> str:
    """Write the message as the event `notification`."""
    del context
    structlog.get_logger().warning(
        "notification",
        receiver=receiver.name,
        key=notification.key,
        product=notification.product,
        kind=notification.kind.value if notification.notice is None else "notice",
        urgency=notification.urgency.value,
        title=text.title(notification),
        text="\n".join(text.lines(notification)),
    )
    return "is written to the log"
