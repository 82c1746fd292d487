"""
One process or several, started by torchrun, that train one network.

Each process puts its share of a batch through the backbone and the pooling. What was pooled is
gathered, so that the loss sees the whole batch, as it does in one process, and so does the head's
batch normalisation. Backbones with batch normalisation of their own take its statistics a share.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
import os

import torch
from torch import distributed, nn


@dataclass(frozen=True)
class Processes:
    """
    This process and how many there are.

    :param rank: 0 for the one that writes and prints.
    """

    rank: int = 0
    count: int = 1

    def share(self, total: int) -> slice:
        """Return this process's part of a batch."""
        return slice(self.rank * total // self.count, (self.rank + 1) * total // self.count)

    def gather(self, part: torch.Tensor, total: int) -> torch.Tensor:
        """Return [total, P] of all shares [n, P]; gradients flow into this process's own."""
        if self.count == 1:
            return part
        whole = part.new_zeros(total, *part.shape[1:])
        whole[self.share(total)] = part.detach()
        distributed.all_reduce(whole)
        parts = [whole[Processes(rank, self.count).share(total)] for rank in range(self.count)]
        parts[self.rank] = part
        return torch.cat(parts)

    def join_gradients(self, shared: nn.Module, whole: list[nn.Parameter]) -> None:
        """
        Make the gradients of all processes those of one.

        :param shared: the network.
        :param whole: its parameters that already saw the whole batch, in every process alike.
        """
        if self.count == 1:
            return
        alike = {id(parameter) for parameter in whole}
        for parameter in shared.parameters():
            if parameter.grad is not None:
                distributed.all_reduce(parameter.grad)
                if id(parameter) in alike:
                    parameter.grad /= self.count

    def wait(self) -> None:
        if self.count > 1:
            distributed.barrier()


@contextmanager
def processes() -> Iterator[Processes]:
    """Join the other processes that torchrun started; alone without it."""
    if int(os.environ.get('WORLD_SIZE', '1')) < 2:
        yield Processes()
        return
    distributed.init_process_group('gloo')
    try:
        yield Processes(distributed.get_rank(), distributed.get_world_size())
    finally:
        distributed.destroy_process_group()
