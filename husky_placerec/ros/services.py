"""The services `~/relocalize`, `~/enable` and `~/reload_map`."""

from __future__ import annotations

from collections.abc import Callable
import threading
from typing import Any, Protocol

from husky_placerec.errors import InputError
from rclpy.node import Node
from rclpy.task import Future
from std_srvs.srv import SetBool, Trigger

Answer = tuple[bool, str]


class Served(Protocol):
    """What the services ask of the node: each method returns success and a sentence, or raises."""

    def relocalize(self) -> Answer:
        """Begin anew."""

    def enable(self, on: bool) -> Answer:
        """Let frames through, or hold them back."""

    def reload_map(self) -> Answer:
        """Go on with the present version of the map."""


class Services:
    """Offer the services. A thread reloads the map, while recognition goes on."""

    def __init__(self, node: Node, served: Served) -> None:
        self._served = served
        self._reading = threading.Lock()
        node.create_service(Trigger, '~/relocalize', self._relocalize)
        node.create_service(SetBool, '~/enable', self._enable)
        node.create_service(Trigger, '~/reload_map', self._reload_map)

    def _relocalize(self, _: Any, response: Any) -> Any:
        response.success, response.message = answer(self._served.relocalize)
        return response

    def _enable(self, request: Any, response: Any) -> Any:
        response.success, response.message = answer(lambda: self._served.enable(request.data))
        return response

    async def _reload_map(self, _: Any, response: Any) -> Any:
        if not self._reading.acquire(blocking=False):
            response.success, response.message = False, 'the map is being read already'
            return response
        try:
            response.success, response.message = await in_thread(self._served.reload_map)
        finally:
            self._reading.release()
        return response


def answer(work: Callable[[], Answer]) -> Answer:
    """Do work and return its answer; an exception becomes an answer too."""
    try:
        return work()
    except InputError as error:
        return False, str(error)
    except Exception as error:
        return False, f'{type(error).__name__}: {error}'


def in_thread(work: Callable[[], Answer]) -> Future:
    """Do work in a thread, so that the executor goes on with other callbacks."""
    future = Future()
    threading.Thread(target=lambda: future.set_result(answer(work)), daemon=True).start()
    return future
