"""Run a network by PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from husky_placerec.descriptor.device import CPU, CUDA, cuda_error
from husky_placerec.descriptor.network import make_network
from husky_placerec.descriptor.pooling_weights import on_grid
from husky_placerec.descriptor.runtimes.processor import computes_bfloat16
from husky_placerec.descriptor.runtimes.runtime import BFLOAT16, FLOAT32
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.descriptor.weights import weights_sha256
from husky_placerec.types import FloatArray, Pixels
import numpy as np
import torch


class TorchExtractor:
    """
    Describes images by any backbone of timm or the package, with pooling, head and fusion.

    :param threads: CPU threads of torch.
    :param device: `cpu` or `cuda`.
    :param bfloat16: compute the backbone in bfloat16, where the processor has it.
    :param compiled: compile the network, which happens at the first image.
    :raises InputError: for a network that cannot be made, weights that do not fit it, and a
        missing device.
    :ivar words: the runtime and its precision, in a sentence.
    """

    takes_masks = True

    def __init__(
        self,
        spec: DescriptorSpec,
        *,
        threads: int,
        device: str = CPU,
        bfloat16: bool = False,
        compiled: bool = False,
    ) -> None:
        torch.set_num_threads(threads)
        self._device = _device(device)
        self.network = make_network(spec)
        lacking = bfloat16 and device == CPU and not computes_bfloat16()
        self._low = bfloat16 and not lacking
        self.spec = replace(
            spec,
            weights_sha256=weights_sha256(self.network),
            size=self.network.size,
            precision=BFLOAT16 if self._low else FLOAT32,
        )
        self.network.to(self._device)
        self._forward: Callable[..., torch.Tensor] = (
            torch.compile(self.network) if compiled else self.network
        )
        note = '; the processor has no bfloat16, so that float32 is taken' if lacking else ''
        how = 'compiled, ' if compiled else ''
        self.words = (
            f'runtime: torch {torch.__version__} ({device}, {how}{self.spec.precision}), as '
            f'extractor is timm{note}'
        )

    @torch.inference_mode()
    def describe(
        self, images: Sequence[Pixels], masks: Sequence[FloatArray] | None = None
    ) -> FloatArray:
        """
        Describe [H, W, 3] RGB images of the input size as [B, D] L2-normalised vectors.

        :param masks: [H, W] weight of each pixel in the pooling, for each image.
        """
        pixels = torch.from_numpy(np.stack(images)).to(self._device)
        values = pixels.permute(0, 3, 1, 2).float() / 255
        weights = None
        if masks is not None:
            weights = torch.from_numpy(on_grid(masks, self.network.grid)).to(self._device)
        if not self._low:
            return self._forward(values, weights).cpu().numpy()
        with torch.autocast(self._device.type, torch.bfloat16):
            return self._forward(values, weights).float().cpu().numpy()

    @torch.inference_mode()
    def fuse(self, vectors: FloatArray) -> FloatArray:
        """Fuse the cameras' vectors [C, D], zeros for absent cameras, into [D] by attention."""
        assert self.network.fusion is not None
        batch = torch.from_numpy(vectors[None]).to(self._device)
        return self.network.fusion(batch, batch.any(2))[0].cpu().numpy()


def _device(name: str) -> torch.device:
    """
    Return torch's device of a name.

    :raises InputError: for cuda if torch finds no GPU.
    """
    if name == CUDA:
        if not torch.cuda.is_available():
            raise cuda_error(
                f'torch {torch.__version__} has none (torch.cuda.is_available() is False)',
                "install the CUDA build of torch and NVIDIA's driver",
            )
        torch.backends.cudnn.allow_tf32 = False  # its 10 bits of mantissa change the descriptors
    return torch.device(name)
