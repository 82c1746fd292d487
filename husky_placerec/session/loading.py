"""Loading of model and map in a thread, so that the process can be stopped meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
import threading

import cv2
from husky_placerec.config import Config
from husky_placerec.errors import InputError
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.map_extractor import extractor_of
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.recognition.recognizer import local_extractor_of, Recognizer

CHECK_S = 0.1  # between checks of whether the process shall end


class Interrupted(BaseException):
    """The process shall end."""


def recognizer_of(
    place_map: PlaceMap, config: Config, tell: Callable[[str], None] = lambda _: None
) -> Recognizer:
    """
    Make the recognizer of a map, by any runtime and precision whose descriptors agree.

    :param tell: is told which runtime was chosen, and how many candidates are compared locally,
        and why.
    :raises InputError: as `extractor_of` and `local_extractor_of`.
    """
    extractor = extractor_of(place_map, config)
    if extractor.words:
        tell(extractor.words)
    made = Recognizer(extractor, place_map, config, local_extractor_of(place_map, config))
    if made.local_words and not made.local_doubt:
        tell(f'local descriptors: {made.local_words}')
    return made


def load_recognizer(config: Config, tell: Callable[[str], None] = lambda _: None) -> Recognizer:
    """
    Load and verify model and map, and warm up.

    :param tell: is told which runtime was chosen, and why.
    :raises InputError: that names what is wrong.
    """
    if not config.map:
        raise InputError('parameter map: empty; expected the folder of a place map')
    cv2.setNumThreads(1)  # images of different cameras are decoded in parallel already
    recognizer = recognizer_of(load_map(Path(config.map), private=True), config, tell)
    recognizer.warm_up()
    if config.masks:
        recognizer.limit_segmentation(config.segmentation_budget)
    return recognizer


def load_in_thread(
    config: Config,
    goes_on: Callable[[], bool],
    tell: Callable[[str], None] = lambda _: None,
) -> Recognizer:
    """
    Load in a daemon thread, because a signal cannot interrupt a long call into C.

    :param goes_on: returns False when the process shall end; called every CHECK_S.
    :param tell: as in `load_recognizer`; called by the thread.
    :raises Interrupted: when `goes_on` returns False.
    :raises InputError: that names what is wrong.
    """
    loaded: list[Recognizer] = []
    failed: list[Exception] = []

    def load() -> None:
        try:
            loaded.append(load_recognizer(config, tell))
        except Exception as error:  # raised again in the calling thread
            failed.append(error)

    thread = threading.Thread(target=load, daemon=True)
    thread.start()
    while thread.is_alive():
        if not goes_on():
            raise Interrupted
        thread.join(CHECK_S)
    if failed:
        raise failed[0]
    return loaded[0]
