"""A stand-in for ROS's message_filters where ROS is not installed: its source of messages only."""

from collections.abc import Callable
from typing import Any

__all__ = ['SimpleFilter', 'Subscriber']


class SimpleFilter:
    """Hand each message on to the callbacks that were registered."""

    def __init__(self) -> None:
        self.callbacks: dict[int, tuple[Callable[..., Any], tuple[Any, ...]]] = {}

    def registerCallback(self, cb: Callable[..., Any], *args: Any) -> int:
        """Have `cb` called with each message and then `args`; return the connection's number."""
        connection = len(self.callbacks)
        self.callbacks[connection] = (cb, args)
        return connection

    def signalMessage(self, *msg: Any) -> None:
        """Call every callback, in the order in which they were registered."""
        for cb, args in tuple(self.callbacks.values()):
            cb(*msg, *args)


class Subscriber(SimpleFilter):
    """Hand on what a ROS subscription receives."""

    def __init__(self, node: Any, msg_type: Any, topic: str, /, **kwargs: Any) -> None:
        super().__init__()
        self.node = node
        self.topic = topic
        kwargs.setdefault('qos_profile', 10)
        self.sub = node.create_subscription(msg_type, topic, self.callback, **kwargs)

    def callback(self, msg: Any) -> None:
        self.signalMessage(msg)

    def getTopic(self) -> str:
        return self.topic

    def __getattr__(self, key: str) -> Any:
        """Look up in the subscription what is not here."""
        if key == 'sub':  # not there yet: looking it up in itself would not end
            raise AttributeError(key)
        return getattr(self.sub, key)
