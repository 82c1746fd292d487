"""Write the masks of a track by a segmentation network."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
from husky_placerec.config import Config
from husky_placerec.data.annotations import MASKS
from husky_placerec.data.itlp import CAMERA_SUFFIX, TRACK_TABLE
from husky_placerec.data.source import decoded_frames, open_source
from husky_placerec.errors import InputError
from husky_placerec.operations.reading import tell_reading
from husky_placerec.operations.tell import Bars, no_bars, no_warning, Tell, tell_nothing, Warn
from husky_placerec.output_folder import check_output_folder, output_folder
from husky_placerec.semantics.segmenter import Segmenter
from husky_placerec.semantics.tables import tables
import numpy as np


@dataclass(frozen=True)
class Segmented:
    """
    What `segment` wrote.

    :param folder: of the masks.
    :param masks: their number.
    :param dynamic: share of their pixels that are of dynamic classes.
    :param classes: share of the pixels by the name of a class, the most frequent first.
    """

    folder: Path
    masks: int
    dynamic: float
    classes: dict[str, float]


def segment(
    track: Path,
    model: Path,
    *,
    config: Config | None = None,
    overwrite: bool = False,
    tell: Tell = tell_nothing,
    warn: Warn = no_warning,
    bars: Bars = no_bars,
) -> Segmented:
    """
    Write a mask for each image of a track, into its folder `masks/`, as ITLP-Campus has them.

    :param track: a folder with `track.csv`.
    :param model: a network, .onnx or .tflite; its classes are `config.mask_classes`.
    :param overwrite: replace the masks that an earlier call wrote, and no others.
    :raises InputError: that names the file, what was found and what was expected; the track then
        stays as it was.

    >>> segment(Path('drive_1'), Path('deeplab.tflite'))  # doctest: +SKIP
    """
    config = replace(config or Config(), masks=False, segmentation='')
    folder = track / MASKS
    if not (track / TRACK_TABLE).is_file():
        raise InputError(f'{track}: expected a track, a folder with {TRACK_TABLE}')
    check_output_folder(folder, overwrite)
    table = tables()[config.mask_classes].with_dynamic(config.mask_dynamic)
    network = Segmenter(model, table, config.segmentation_input, config.threads)
    pixels: Counter[int] = Counter()
    written = 0
    with open_source(track, 'track') as drive, output_folder(folder) as work:
        frames = decoded_frames(drive, drive.frames(config), config.max_pixels)
        for frame in bars('Segmenting')(frames, drive.frame_count(config)):
            for camera, image in frame.images.items():
                classes = network.classes(image)
                pixels.update(dict(enumerate(np.bincount(classes.ravel()).tolist())))
                file = work / f'{camera}{CAMERA_SUFFIX}' / f'{frame.image_stamps_ns[camera]}.png'
                file.parent.mkdir(exist_ok=True)
                file.write_bytes(cv2.imencode('.png', classes)[1].tobytes())
                written += 1
        tell_reading(drive, tell, warn)
    total = max(1, pixels.total())
    named = {
        table.names[number] if number < len(table) else 'no class': count / total
        for number, count in pixels.most_common()
        if count
    }
    dynamic = sum(share for name, share in named.items() if name in table.dynamic)
    return Segmented(folder, written, dynamic, named)
