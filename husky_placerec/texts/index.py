"""The texts of a map as arrays, to be compared with those of a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from husky_placerec.texts.encoders import TextEncoder
from husky_placerec.texts.map_texts import MapTexts
from husky_placerec.texts.seen import SeenText
from husky_placerec.types import FloatArray, Floats, Indices
import numpy as np


@dataclass(frozen=True, eq=False)
class TextIndex:
    """
    T texts of the places of a map, sorted by place.

    :param vectors: [V, D] of the different texts.
    :param word: [T] which of the different texts each is.
    :param place: [T], and `camera` [T] the index of the camera.
    :param boxes: [T, 3] middle x and y in shares of the image, and the logarithm of the height;
        NaN where only the words are known.
    """

    vectors: FloatArray
    word: Indices
    place: Indices
    camera: Indices
    boxes: Floats

    @classmethod
    def of(cls, texts: MapTexts, cameras: Sequence[str], encoder: TextEncoder) -> TextIndex:
        """Make the index of a map."""
        different = texts.different
        row = {text: number for number, text in enumerate(different)}
        flat = [(place, seen) for place, of in enumerate(texts.of_places) for seen in of]
        return cls(
            encoder.encode(different),
            np.array([row[seen.text] for _, seen in flat], np.int64),
            np.array([place for place, _ in flat], np.int64),
            np.array([cameras.index(seen.camera) for _, seen in flat], np.int64),
            boxes_of([seen for _, seen in flat]),
        )


def boxes_of(texts: Sequence[SeenText]) -> Floats:
    """Return [N, 3] as in `TextIndex`."""
    rows = [(*seen.middle, np.log(max(seen.height, 1e-3))) for seen in texts]
    return np.array(rows, np.float64).reshape(-1, 3)
