"""A map whose places are described by the shipped network of cells, from images made here."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.descriptor.local.collector import LocalCollector
from husky_placerec.descriptor.local.extractor import load_local
import numpy as np
from support.builders import BACK, frame, FRONT, smooth_image, straight_map


def view(place):
    """Return the frame of a place."""
    seeds = {FRONT: place, BACK: 200 + place}
    return frame(**{name: smooth_image(seed, 96, 56) for name, seed in seeds.items()})


def map_of_views(count, config):
    """Return a map of the first places."""
    extractor = load_extractor(config)
    collector = LocalCollector(load_local(config, extractor.spec))
    for place in range(count):
        collector.add(view(place))
    described = np.stack([extractor.describe(view(place)) for place in range(count)])
    return replace(
        straight_map(count),
        spec=extractor.spec,
        descriptors=described,
        local=collector.collected(),
    )
