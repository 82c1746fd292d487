"""The sizes at which a session needs its images: larger ones are decoded at half their size."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.config import Config
from husky_placerec.descriptor.preparation import needed_by, Preparation
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.types import CameraNeeds


def image_needs(place_map: PlaceMap, config: Config) -> CameraNeeds:
    """
    Return what tells the size from which no image is enlarged, for the extractors of a map.

    :param config: tells what is known of the cameras.
    :raises InputError: as `Preparation.of`.
    """
    if place_map.texts is not None and config.texts != 'off':
        return lambda camera, width, height: (width, height)  # letters are small
    spec, local = place_map.spec, place_map.local
    preparations = [Preparation.of(spec, config, place_map.cameras)]
    if local is not None and config.rerank != 'off':
        width, height = local.spec.input_width, local.spec.input_height
        sized = replace(spec, input_width=width, input_height=height)
        preparations.append(Preparation.of(sized, config, place_map.cameras))
    needs, landmarks = needed_by(config, *preparations), place_map.landmarks
    if landmarks is None or config.metric == 'off':
        return needs
    across, turns = landmarks.spec.input_width, preparations[0].turns

    def needed(camera: str, width: int, height: int) -> tuple[int, int]:
        least = needs(camera, width, height)
        if turns.get(camera, 0) % 2:  # key points are found in the upright image
            return least[0], max(least[1], across)
        return max(least[0], across), least[1]

    return needed
