"""Index of the channels, one for each kind of receiver, and the protocol that they share."""

from collections.abc import Mapping
from typing import Protocol

from contractwatch.channels import email, log, pagerduty, slack, webhook
from contractwatch.channels.context import ChannelContext
from contractwatch.model.base.receiver import Receiver, ReceiverKind
from contractwatch.model.record.incident import Notification

__all__ = ["CHANNELS", "Channel", "ChannelContext"]


class Channel(Protocol):
    """Protocol of a channel: one attempt, within the receiver's `timeout_seconds`."""

    def __call__(
        self, notification: Notification, receiver: Receiver, context: ChannelContext
    ) -> str:
        """Send once; return what the receiver answered, in words without a secret.

        Raises:
            ChannelError: If the receiver did not accept it.
        """
        ...


CHANNELS: Mapping[ReceiverKind, Channel] = {
    ReceiverKind.WEBHOOK: webhook.send,
    ReceiverKind.SLACK: slack.send,
    ReceiverKind.EMAIL: email.send,
    ReceiverKind.PAGERDUTY: pagerduty.send,
    ReceiverKind.LOG: log.send,
}
