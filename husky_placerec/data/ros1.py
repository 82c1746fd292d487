"""Messages of ROS 1 bags as the CDR bytes of ROS 2."""

from __future__ import annotations

from typing import Any

from husky_placerec.data.messages import STORE
from husky_placerec.errors import InputError
from rosbags.convert.converter import is_same_wireformat, migrate_bytes

ROS2_NAMES = {'tf/msg/tfMessage': 'tf2_msgs/msg/TFMessage'}  # types that have another name


class Ros1Converter:
    """
    Converts serialized messages.

    :param typestore: the message definitions of the bag.
    """

    def __init__(self, typestore: Any) -> None:
        self._typestore = typestore
        self._alike: dict[str, bool] = {}
        self._defaults: dict[str, object] = {}

    def cdr(self, kind: str, data: bytes) -> bytes:
        """
        Convert a message.

        :param kind: its type in the bag, as `package/msg/Name`.
        :raises InputError: for a type that ROS 2 does not have.
        """
        to = ROS2_NAMES.get(kind, kind)
        if to not in STORE.fielddefs:
            raise InputError(f'messages of type {kind} cannot be converted from ROS 1 to ROS 2')
        if kind not in self._alike:
            self._alike[kind] = is_same_wireformat(self._typestore, STORE, kind, to)
        if self._alike[kind]:
            return bytes(STORE.ros1_to_cdr(data, to))
        return bytes(
            migrate_bytes(
                self._typestore, STORE, kind, to, self._defaults, data, src_is2=False, dst_is2=True
            )
        )
