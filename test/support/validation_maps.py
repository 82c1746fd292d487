"""Maps and drives that validate them."""

from __future__ import annotations

from husky_placerec.placemap.places import Places
from husky_placerec.types import SECOND_NS
import numpy as np
from support.builders import planar, random_descriptors, random_map, START_NS


def drive(seed=0, count=30, start_ns=START_NS, track='drive', look=None, noise=0.0):
    """Make the map of a drive along a curve, a place a metre; `look` says what it looks like."""
    angle = np.arange(count) / 20
    poses = np.array([planar(20 * np.sin(a), 20 - 20 * np.cos(a)).as_array() for a in angle])
    present = np.ones((count, 2), bool)
    seen = random_descriptors(np.random.default_rng(seed if look is None else look), present)
    seen = seen + noise * np.random.default_rng(seed).normal(size=seen.shape)
    seen = (seen / np.linalg.norm(seen, axis=2, keepdims=True)).astype(np.float16)
    stamps = start_ns + np.arange(count) * SECOND_NS
    places = Places(stamps, poses, (track,) * count, present)
    return random_map(places=places, descriptors=seen, sources={track: f'{track}.bag'})
