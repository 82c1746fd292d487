"""Collect the local descriptors of the frames of a drive, and choose the branch for it."""

from __future__ import annotations

from husky_placerec.descriptor.local.extractor import LocalExtractor
from husky_placerec.descriptor.local.features import LocalFeatures
from husky_placerec.spool import SpooledRows
from husky_placerec.types import Frame, Pixels


class LocalCollector:
    """
    Collects frames, of each branch that the extractor has; many of them in a file.

    A network with two branches has one for images like those of its training, and one for all
    others. The second is taken where most images are unlike those of the training.

    :param extractor: None collects nothing.
    """

    def __init__(self, extractor: LocalExtractor | None) -> None:
        self._extractor = extractor
        self._branches: list[SpooledRows] = []
        self._far: list[bool] = []

    def add(self, frame: Frame[Pixels], extractor: LocalExtractor | None = None) -> None:
        """
        Describe a frame.

        :param extractor: the same for the cameras of another drive; None: that of the collector.
        """
        extractor = extractor or self._extractor
        if extractor is None:
            return
        seen = extractor.describe_each(frame)
        if not self._branches:
            self._branches = [SpooledRows(values.shape, values.dtype) for values in seen]
        for branch, values in zip(self._branches, seen):
            branch.append(values)
        if len(extractor.branches) > 1:
            self._far += extractor.far(frame)

    def collected(self) -> LocalFeatures | None:
        """Return the local descriptors of all frames, of one branch; None without any."""
        if self._extractor is None or not self._branches:
            return None
        branch = int(bool(self._far) and 2 * sum(self._far) > len(self._far))
        values = self._branches[branch].array()
        return LocalFeatures(self._extractor.spec_of(self._extractor.branches[branch]), values)
