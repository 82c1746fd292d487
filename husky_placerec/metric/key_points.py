"""Which network finds the key points of landmarks: the shipped XFeat, another file, or SIFT."""

from __future__ import annotations

from dataclasses import dataclass
import hashlib
from pathlib import Path

from husky_placerec.config import Config
from husky_placerec.descriptor.local.keypoints import KeyPointNetwork, RootSift
from husky_placerec.descriptor.shipped import MODELS_FOLDER, SHIPPED
from husky_placerec.errors import InputError
from husky_placerec.metric.landmarks import count_for, LandmarkSpec
from husky_placerec.metric.sight import Detector

SIFT, SIFT_SIZE = 'sift', 128
NAMED = ('', SHIPPED, SIFT)  # values of `key_points` that open no file of the user
FILE = 'xfeat.onnx'
WIDTH, COUNT = 640, 800


@dataclass(frozen=True)
class KeyPointFinder:
    """
    What finds key points, and the spec of landmarks of them.

    :param detector: of upright RGB images.
    """

    detector: Detector
    spec: LandmarkSpec


def load_key_points(
    config: Config, cameras: int, stored: LandmarkSpec | None = None
) -> KeyPointFinder:
    """
    Load what finds key points.

    :param cameras: of the map.
    :param stored: the spec in the map; None: for new landmarks.
    :raises InputError: for a file that only the map names, without `trust_map`; for a network
        that cannot be loaded or is not that of the map.
    """
    name = config.key_points
    if not name:
        name = stored.network if stored is not None else SHIPPED
        if name not in NAMED and not config.trust_map:
            raise InputError(
                f'key_points: the map names the file {name!r}, which is not opened because a map '
                'may come from someone else; name a file that you trust (key_points=FILE), or '
                'trust the map (--trust)'
            )
    count = COUNT if stored is None else stored.key_points
    width = config.key_point_width or (WIDTH if stored is None else stored.input_width)
    if name == SIFT:
        spec = LandmarkSpec(name, '', width, count, SIFT_SIZE, count_for(SIFT_SIZE, cameras))
        return KeyPointFinder(RootSift(count), spec)
    path = MODELS_FOLDER / FILE if name == SHIPPED else Path(name)
    network = KeyPointNetwork(path, count, threads=config.threads)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    size = network.size
    spec = LandmarkSpec(name, digest, width, count, size, count_for(size, cameras))
    return KeyPointFinder(network, spec)
