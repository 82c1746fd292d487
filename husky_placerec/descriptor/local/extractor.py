"""Describe the cells of the images of frames: local descriptors, camera by camera."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from husky_placerec.config import Config
from husky_placerec.descriptor.local.network import LocalNetwork, LocalValues
from husky_placerec.descriptor.local.spec import LocalSpec
from husky_placerec.descriptor.preparation import Cameras, Preparation
from husky_placerec.descriptor.shipped import SHIPPED
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.errors import InputError
from husky_placerec.types import Frame, Pixels
import numpy as np

NAMED = ('', SHIPPED)  # values of `local_weights` that open no file of the user


class LocalExtractor:
    """
    Describes the cells of frames: [C, cells, D] integers, zeros for an absent camera.

    :param network: describes the prepared images.
    :param prepare: brings each camera's image to the input size of the network.
    :param cameras: names of the rows.
    :param branches: of the network, whose features are described.
    """

    def __init__(
        self,
        network: LocalNetwork,
        prepare: Preparation,
        cameras: Sequence[str],
        branches: Sequence[str],
    ) -> None:
        self._network = network
        self._prepare = prepare
        self._cameras = tuple(cameras)
        self.branches = tuple(branches)

    @classmethod
    def of(
        cls,
        network: LocalNetwork,
        branches: Sequence[str],
        spec: DescriptorSpec,
        config: Config,
        mapped: Cameras | None = None,
    ) -> LocalExtractor:
        """
        Return what describes the cells of the images that a global descriptor describes.

        :param spec: of the global descriptor: its cameras, and the view through which it sees.
        :param mapped: the cameras of the map that is searched; None: there is no map yet.
        :raises InputError: as `Preparation.of`.
        """
        local = network.spec
        sized = replace(spec, input_width=local.input_width, input_height=local.input_height)
        prepare = Preparation.of(sized, config, mapped)
        return cls(network, prepare, spec.sees, branches)

    @property
    def preparation(self) -> Preparation:
        """How each camera's image is brought to the input size."""
        return self._prepare

    def spec_of(self, branch: str) -> LocalSpec:
        """Return the spec of the descriptors of one branch."""
        focal = self._prepare.pinhole.focal if self._prepare.pinhole else 0.0
        return replace(self._network.of_branch(branch), pinhole_focal=focal)

    @property
    def spec(self) -> LocalSpec:
        """The spec of the descriptors of the first branch."""
        return self.spec_of(self.branches[0])

    def describe(self, frame: Frame[Pixels]) -> LocalValues:
        """Return [C, cells, D] of the first branch."""
        return self.describe_each(frame)[0]

    def describe_each(self, frame: Frame[Pixels]) -> LocalValues:
        """Return [B, C, cells, D] of all branches."""
        local = self._network.spec
        shape = len(self.branches), len(self._cameras), local.cells, local.size
        values = np.zeros(shape, np.int8)
        if frame.images:
            rows = [self._cameras.index(name) for name in frame.images]
            images = self._prepared(frame)
            for branch, each in enumerate(self._network.describe(images, self.branches)):
                values[branch, rows] = each
        return values

    def far(self, frame: Frame[Pixels]) -> list[bool]:
        """Return for each image of a frame whether it is unlike those of the training."""
        return self._network.far(self._prepared(frame)) if frame.images else []

    def seen_by(
        self, spec: DescriptorSpec, config: Config, mapped: Cameras | None
    ) -> LocalExtractor:
        """Return the same extractor for other cameras; see `of`."""
        return LocalExtractor.of(self._network, self.branches, spec, config, mapped)

    def _prepared(self, frame: Frame[Pixels]) -> list[Pixels]:
        return [self._prepare(camera, image) for camera, image in frame.images.items()]


def load_local(
    config: Config,
    spec: DescriptorSpec,
    stored: LocalSpec | None = None,
    mapped: Cameras | None = None,
) -> LocalExtractor:
    """
    Load what describes the cells of frames.

    :param spec: of the global descriptor.
    :param stored: the spec in the map; None for a new map, whose branch is chosen by its images.
    :param mapped: the cameras of that map.
    :raises InputError: for a file that only the map names, without `trust_map`; for a network
        that cannot be loaded or is not that of the map.
    """
    weights = config.local_weights
    if not weights:
        weights = stored.weights if stored is not None else SHIPPED
        if weights not in NAMED and not config.trust_map:
            raise InputError(
                f'local_weights: the map names the file {weights!r}, which is not opened because '
                'a map may come from someone else; name a file that you trust '
                '(local_weights=FILE), or trust the map (--trust)'
            )
    network = LocalNetwork(weights, threads=config.threads)
    branches = network.branches if stored is None else (stored.branch,)
    if stored is not None and stored.weights_sha256 == network.spec.weights_sha256:
        network.of_branch(stored.branch)
    elif stored is not None:
        branches = network.branches[:1]  # `require_same` names what differs
    return LocalExtractor.of(network, branches, spec, config, mapped)
