"""Track folders of ITLP-Campus as the tests read them."""

from __future__ import annotations

from husky_placerec.config import make_config
from husky_placerec.data.itlp import Track
from husky_placerec.data.source import (
    open_source,
)

CONFIG = make_config({})


HOG = '--set', 'extractor=hog'


def frames_of(path):
    with open_source(path) as source:
        assert isinstance(source, Track)
        frames = list(source.frames(CONFIG))
        assert source.frame_count(CONFIG) == len(frames)
        return frames, source.problems.lines()
