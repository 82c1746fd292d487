"""Describe images by an exported network, without torch, by the runtime that was chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from husky_placerec.config import Config
from husky_placerec.descriptor.agreement import Probes
from husky_placerec.descriptor.pooling_weights import on_grid
from husky_placerec.descriptor.runtimes.choice import choose_runtime
from husky_placerec.descriptor.runtimes.model_file import ModelFile
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.types import FloatArray, Pixels
import numpy as np


class ExportedExtractor:
    """
    Describes images by a network that `placerec model export` wrote.

    :param asked: the spec that the configuration or the map asks for; the file fills empty fields.
    :param config: names the runtime, the precision, the device and the threads.
    :param probes: of the map, on which runtimes are compared; None: random images.
    :raises InputError: for a file that is missing or no such model, for a model other than the one
        asked for, and for a missing runtime or device.
    :ivar words: which runtime runs it, and why, in a sentence.
    """

    def __init__(
        self, asked: DescriptorSpec, config: Config, probes: Probes | None = None
    ) -> None:
        model = ModelFile.read(asked)
        chosen = choose_runtime(model, config, len(asked.sees), probes)
        self.runtime, self.words = chosen.runtime, chosen.words
        self.spec = replace(model.spec_for(asked), precision=chosen.precision)

    @property
    def takes_masks(self) -> bool:
        """Whether the file has the optional input for masks, and the runtime takes it."""
        return self.runtime.grid is not None

    def describe(
        self, images: Sequence[Pixels], masks: Sequence[FloatArray] | None = None
    ) -> FloatArray:
        """
        Describe [H, W, 3] RGB images of the input size as [B, D] L2-normalised vectors.

        :param masks: [H, W] weight of each pixel in the pooling, for each image.
        """
        grid = self.runtime.grid
        weights = None if masks is None or grid is None else on_grid(masks, grid)
        return self.runtime.run(np.stack(images), weights)
