"""A network on PyTorch as an image extractor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from husky_placerec.descriptor.network import make_network
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.descriptor.weights import weights_sha256
from husky_placerec.types import FloatArray, Pixels
import numpy as np
import torch


class TorchExtractor:
    """
    Any backbone by name, with pooling, head and fusion.

    :raises InputError: for parts that cannot be made, or weights that do not fit them.
    """

    def __init__(self, spec: DescriptorSpec, *, threads: int) -> None:
        torch.set_num_threads(threads)
        self.network = make_network(spec)
        self.spec = replace(
            spec, weights_sha256=weights_sha256(self.network), size=self.network.size
        )

    @torch.inference_mode()
    def describe(self, images: Sequence[Pixels]) -> FloatArray:
        """Describe [H, W, 3] RGB images of the input size as [B, D] L2-normalised vectors."""
        batch = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255
        return self.network(batch).numpy()

    @torch.inference_mode()
    def fuse(self, vectors: FloatArray) -> FloatArray:
        """Fuse the cameras' [C, D] vectors by attention, zeros for absent ones, into [D]."""
        assert self.network.fusion is not None
        batch = torch.from_numpy(vectors[None])
        return self.network.fusion(batch, batch.any(2))[0].numpy()
