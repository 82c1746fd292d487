"""
The one place that imports timm.

timm wants torchvision, whose PyPI build is for CUDA; beside a CPU build of torch its operators do
not load and its import fails, though timm needs none of them. Then the two operators' schemas are
defined and the import is tried again. Defining them first would abort where torchvision is whole.
"""

from __future__ import annotations

import sys

import torch

try:
    import torchvision  # noqa: F401
except ImportError:
    pass
except RuntimeError:
    for module in [name for name in sys.modules if name.split('.')[0] == 'torchvision']:
        del sys.modules[module]
    _library = torch.library.Library('torchvision', 'DEF')  # kept: it lives as long as this name
    _library.define('nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor')
    _library.define('qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor')

import timm
import timm.scheduler

__all__ = ['timm']
