"""What a preset is: the definition of a published network, and where its weights are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from husky_placerec.errors import InputError

PUBLISHED = 'published'  # the pooling of a preset's spec, and its weights by default
NOT_STATED = 'not stated'
DECIDED = ('backbone', 'backbone_options', 'normalization', 'pooling', 'head')
# The names of our own modules, in files that a training wrote.
OWN_KEYS = 'backbone.network.'


@dataclass(frozen=True)
class Checkpoint:
    """
    The one file of weights of a preset.

    :param file: its name in the cache.
    :param url: where it is; empty: only a person can get it, from `page`.
    :param page: the web page that offers it.
    :param megabytes: its size at 4 bytes a number, without what a checkpoint may have besides.
    :param sha256: of the file; empty: not known, nobody has checked it.
    :param code_licence: licence of the authors' code, as their repository states it.
    :param weights_licence: licence of the weights, as their repository states it.
    """

    file: str
    url: str
    page: str
    megabytes: int
    sha256: str = ''
    code_licence: str = NOT_STATED
    weights_licence: str = NOT_STATED


@dataclass(frozen=True)
class Preset:
    """
    A published network.

    :param backbone: name of timm's network.
    :param aggregation: what makes one vector of the feature map: a name in `aggregation`.
    :param arguments: of the aggregation.
    :param size: numbers of a descriptor.
    :param checkpoint: its weights.
    :param keys: beginnings of the names in the checkpoint, and what they are in our network; the
        first that fits counts.
    :param ignored: beginnings of names in the checkpoint that the network does not use.
    :param paper: where it was published.
    :param options: of the backbone.
    :param input_size: width and height in pixels, unless the configuration gives others.
    :param multiple: both sides are multiples of this.
    :param fixed: it takes the size `input_size` only.
    :param final_norm: a transformer's last normalisation is part of the network.
    """

    backbone: str
    aggregation: str
    arguments: Mapping[str, Any]
    size: int
    checkpoint: Checkpoint
    keys: tuple[tuple[str, str], ...]
    paper: str
    ignored: tuple[str, ...] = ()
    options: str = ''
    input_size: tuple[int, int] = (320, 192)
    multiple: int = 1
    fixed: bool = False
    final_norm: bool = True
    normalization: str = 'imagenet'

    @property
    def input_rule(self) -> str:
        """The input sizes that the network takes, in words."""
        if self.fixed:
            return '{}x{} only'.format(*self.input_size)
        return f'sides multiples of {self.multiple}' if self.multiple > 1 else 'any'

    def fields(self, name: str) -> dict[str, Any]:
        """Return the fields of the descriptor's spec, for the preset of a name."""
        return {
            'backbone': name,
            'weights': PUBLISHED,
            'normalization': self.normalization,
            'pooling': PUBLISHED,
            'input_width': self.input_size[0],
            'input_height': self.input_size[1],
        }

    def check_size(self, name: str, width: int, height: int) -> None:
        """
        Check an input size.

        :raises InputError: for a size that the network does not take; it names a near one.
        """
        if self.fixed and (width, height) != self.input_size:
            near = self.input_size
        elif width % self.multiple or height % self.multiple:
            near = (self._near(width), self._near(height))
        else:
            return
        raise InputError(
            f'preset {name}: input size is {width}x{height}; expected {self.input_rule}, such as '
            f'{near[0]}x{near[1]}'
        )

    def renamed(self, key: str) -> str | None:
        """Return our name of a checkpoint's key; '' for one that is ignored, None if unknown."""
        if key.startswith(self.ignored):
            return ''
        for theirs, ours in self.keys:
            if key.startswith(theirs):
                return ours + key[len(theirs) :]
        return None

    def _near(self, side: int) -> int:
        return max(1, round(side / self.multiple)) * self.multiple
