"""
Train one network by several processes, which torchrun starts.

Each process runs its share of a batch through the backbone and the pooling. The pooled vectors are
gathered in every process. The loss and the head's batch normalisation then see the whole batch,
exactly as in a single process. Batch normalisation inside a backbone sees only the share of its
own process.
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
    This process and the number of processes.

    :param rank: number of this process; process 0 writes the files and prints.
    """

    rank: int = 0
    count: int = 1

    def share(self, total: int) -> slice:
        """Return the part of a batch of `total` samples that this process computes."""
        return slice(self.rank * total // self.count, (self.rank + 1) * total // self.count)

    def gather(self, part: torch.Tensor, total: int) -> torch.Tensor:
        """Gather all processes' parts [n, P] to [total, P]; gradients flow into the own part."""
        if self.count == 1:
            return part
        whole = part.new_zeros(total, *part.shape[1:])
        whole[self.share(total)] = part.detach()
        distributed.all_reduce(whole)
        parts = [whole[Processes(rank, self.count).share(total)] for rank in range(self.count)]
        parts[self.rank] = part
        return torch.cat(parts)

    def sum_gradients(self, network: nn.Module, after_gather: list[nn.Parameter]) -> None:
        """
        Sum the gradients over the processes, to those of a single process.

        :param after_gather: parameters behind `gather`. In every process their gradients are
            already those of the whole batch, so they are averaged instead.
        """
        if self.count == 1:
            return
        averaged = {id(parameter) for parameter in after_gather}
        for parameter in network.parameters():
            if parameter.grad is not None:
                distributed.all_reduce(parameter.grad)
                if id(parameter) in averaged:
                    parameter.grad /= self.count

    def wait(self) -> None:
        """Wait until all processes have come here."""
        if self.count > 1:
            distributed.barrier()


@contextmanager
def join_processes() -> Iterator[Processes]:
    """Connect to the other processes of torchrun; without torchrun there is only this one."""
    if int(os.environ.get('WORLD_SIZE', '1')) < 2:
        yield Processes()
        return
    distributed.init_process_group('gloo')
    try:
        yield Processes(distributed.get_rank(), distributed.get_world_size())
    finally:
        distributed.destroy_process_group()
