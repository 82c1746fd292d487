"""Loading in a thread, so that a process can be stopped at any moment of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
import threading

from husky_placerec.config import Config
from husky_placerec.errors import InputError
from husky_placerec.placemap.loading import load_map
from husky_placerec.recognition.recognizer import Recognizer

LOOK_S = 0.1  # between looks at whether the process is to end


class Interrupted(BaseException):
    """The process is to end."""


def load_recognizer(config: Config) -> Recognizer:
    """
    Load and verify model and map, and do once what is slow the first time.

    :raises InputError: with what is wrong.
    """
    if not config.map:
        raise InputError('parameter map: empty; expected the folder of a place map')
    recognizer = Recognizer.load(load_map(Path(config.map)), config)
    recognizer.warm_up()
    return recognizer


def patiently(config: Config, goes_on: Callable[[], bool]) -> Recognizer:
    """
    Load in a thread: a long call into C cannot be interrupted, but need not be waited for.

    :param goes_on: asked now and then.
    :raises Interrupted: when it says no.
    :raises InputError: with what is wrong.
    """
    loaded: list[Recognizer] = []
    failed: list[Exception] = []

    def load() -> None:
        try:
            loaded.append(load_recognizer(config))
        except Exception as error:  # it is raised again where it can be caught
            failed.append(error)

    thread = threading.Thread(target=load, daemon=True)
    thread.start()
    while thread.is_alive():
        if not goes_on():
            raise Interrupted
        thread.join(LOOK_S)
    if failed:
        raise failed[0]
    return loaded[0]
