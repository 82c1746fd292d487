"""What compares the texts of frames with those of a map, and what a recognition tells of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from husky_placerec.config import Config
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.recognition.search_result import SearchResult
from husky_placerec.recognition.text_comparison import sure_texts, TextComparison
from husky_placerec.texts.encoders import load_encoder
from husky_placerec.texts.index import TextIndex
from husky_placerec.texts.seen import SeenText
from husky_placerec.types import Indices, Recognition, TextAgreement
import numpy as np


class MapTextComparer:
    """
    Compares texts of frames with those of one map, whose vectors are computed once.

    :param place_map: has texts.
    :raises InputError: for an encoder that cannot be loaded.
    """

    def __init__(self, place_map: PlaceMap, config: Config) -> None:
        assert place_map.texts is not None
        self._encoder = load_encoder(config.text_encoder)
        self._map = place_map
        self._index = TextIndex.of(place_map.texts, place_map.spec.sees, self._encoder)

    def compared(
        self, texts: Sequence[SeenText], config: Config, without: Indices | None = None
    ) -> TextComparison | None:
        """
        Return the comparison of the texts of a frame; None without a text that counts.

        :param without: places to leave out, as if the map did not have them.
        """
        cameras = self._map.spec.sees
        sure = sure_texts([t for t in texts if t.camera in cameras], config.text_confidence)
        if not sure or not len(self._index.place):
            return None
        return TextComparison(
            self._index,
            sure,
            self._encoder,
            cameras,
            self._map.opposites,
            self._map.positions,
            config.elsewhere,
            without,
        )


def with_texts(recognition: Recognition, result: SearchResult) -> Recognition:
    """Return a recognition that tells how the texts agree with the place of its estimate."""
    at = recognition.chosen or recognition.best
    if result.texts is None or at is None:
        return recognition
    places, reverse = np.array([at.place]), np.array([bool(at.reversed)])
    common, contradiction = result.text_evidence(places, reverse)[0].tolist()
    read = tuple(seen.text for seen in result.texts.texts)
    return replace(recognition, texts=TextAgreement(read, common, contradiction))
