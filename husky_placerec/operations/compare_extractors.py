"""What an extractor is worth on two drives with poses: its recall, and its time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
import time

from husky_placerec.config import Config
from husky_placerec.descriptor.extractor import DescriptorExtractor, load_extractor
from husky_placerec.operations.drives import describe_drive, describe_queries, DriveOptions
from husky_placerec.operations.tell import Bars, no_bars
from husky_placerec.placemap.centring_choice import centred_as_asked
from husky_placerec.placemap.validation import recall_of_drive, WITHIN_M
from husky_placerec.types import Frame
import numpy as np

TIMES = 9  # that a frame is described, to take the median


@dataclass(frozen=True)
class Worth:
    """
    What an extractor is worth.

    :param recall: recall@1, the mean over the kinds of query.
    :param ms: of describing one frame of all cameras, without decoding and resizing.
    """

    recall: float
    ms: float


def worth_of(
    config: Config,
    mapped: Path,
    driven: Path,
    *,
    within_m: float = WITHIN_M,
    bars: Bars = no_bars,
) -> Worth:
    """
    Return the recall of an extractor on two drives, centred as the map would be, and its time.

    :param mapped: the drive that becomes the map.
    :param driven: the drive that is recognised; its poses are in the same frame.
    :raises InputError: for drives or a model that cannot be read.
    """
    options = DriveOptions()
    place_map = describe_drive(mapped, config, options, bars=bars)
    queries = describe_queries(driven, config, options, place_map, bars=bars)
    place_map = centred_as_asked(place_map, config.centring)
    recalls = recall_of_drive(place_map, queries, within_m)
    return Worth(float(np.mean(list(recalls.values()))), frame_ms(load_extractor(config)))


def frame_ms(extractor: DescriptorExtractor) -> float:
    """Return the median time of describing a frame of all cameras, in milliseconds."""
    spec = extractor.spec
    rng = np.random.default_rng(0)
    shape = spec.input_height, spec.input_width, 3
    images = {name: rng.integers(0, 256, shape, np.uint8) for name in spec.sees}
    frame = Frame(0, images, dict.fromkeys(images, 0))
    times = []
    for _ in range(TIMES):
        began = time.perf_counter()
        extractor.describe(frame)
        times.append(time.perf_counter() - began)
    return 1000 * float(np.median(times))
