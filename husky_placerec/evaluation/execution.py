"""Executors of the tasks of an evaluation: threads of this process, or a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
import logging
import socket
from types import TracebackType
from typing import Any, Protocol, TypeVar

from husky_placerec.errors import InputError

Made = TypeVar('Made')
RETRIES = 3  # of a task whose worker died
TIMEOUT_S = 5.0  # to connect to a cluster


class Executor(Protocol):
    """Runs tasks and yields their results in the order of the tasks."""

    def share(self, value: Any) -> Any:
        """Return a reference to a value, for the arguments of several tasks."""

    def map(
        self, task: Callable[..., Made], arguments: Sequence[tuple[Any, ...]], *, threads: int
    ) -> Iterator[Made]:
        """
        Run a task for each tuple of arguments.

        :param threads: how many threads of this process work, where the executor is local.
        """


class LocalExecutor:
    """Runs tasks in threads: faiss and NumPy release Python's global lock."""

    def share(self, value: Any) -> Any:
        """Return the value itself."""
        return value

    def map(
        self, task: Callable[..., Made], arguments: Sequence[tuple[Any, ...]], *, threads: int
    ) -> Iterator[Made]:
        """Run the tasks in `threads` threads."""
        with ThreadPoolExecutor(threads) as pool:
            yield from pool.map(lambda each: task(*each), arguments)


class RayExecutor:
    """
    Runs tasks on a Ray cluster whose machines see the drives under the same paths.

    A task whose worker dies runs again on another machine. Use it in a `with` statement.

    :param address: of the cluster, as `ray.init` takes it: `auto`, `HOST:6379` or
        `ray://HOST:10001`; `local` starts a cluster on this machine.
    :raises InputError: where Ray is not installed, or no cluster answers.
    """

    def __init__(self, address: str) -> None:
        try:
            import ray
        except ImportError as error:
            raise InputError(
                f'--ray: {error}; install it by pip install husky_placerec[ray]'
            ) from error
        self._ray: Any = ray
        self._address = address

    def __enter__(self) -> RayExecutor:
        self._owned = not self._ray.is_initialized()
        if self._owned:
            self._refuse_absent()
            try:
                self._ray.init(self._address, log_to_driver=False, logging_level=logging.ERROR)
            except Exception as error:  # the client raises exceptions of many kinds
                raise InputError(
                    f'--ray {self._address}: no cluster there ({str(error).splitlines()[0]})'
                ) from error
        return self

    def _refuse_absent(self) -> None:
        """Connect to the address first: Ray itself would wait for minutes and end the process."""
        host, colon, port = self._address.removeprefix('ray://').rpartition(':')
        if not colon or not port.isdigit():
            return
        try:
            socket.create_connection((host, int(port)), TIMEOUT_S).close()
        except OSError as error:
            raise InputError(f'--ray {self._address}: no cluster there ({error})') from error

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._owned:
            self._ray.shutdown()

    def share(self, value: Any) -> Any:
        """Put the value into the object store of the cluster, and return its reference."""
        return self._ray.put(value)

    def map(
        self, task: Callable[..., Made], arguments: Sequence[tuple[Any, ...]], *, threads: int
    ) -> Iterator[Made]:
        """Run the tasks on the cluster; an InputError in a task is raised here."""
        remote = self._ray.remote(max_retries=RETRIES)(task)
        for reference in [remote.remote(*each) for each in arguments]:
            try:
                yield self._ray.get(reference)
            except self._ray.exceptions.RayTaskError as error:
                if isinstance(error.cause, InputError):
                    raise error.cause from error
                raise
