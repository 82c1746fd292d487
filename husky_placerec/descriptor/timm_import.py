"""
Import timm; every other module takes it from here.

timm imports torchvision where it is installed. The torchvision on PyPI is a CUDA build. Beside a
CPU build of torch, its compiled operators do not load, so `import torchvision` and with it
`import timm` fail with "operator torchvision::nms does not exist". timm itself uses none of these
operators. In that case this module declares the schemas of the two operators that torchvision
asks for at import; that is enough for its Python part.

The schemas are declared only after an import of torchvision has failed: a second declaration of
the same schema aborts the process.
"""

from __future__ import annotations

import sys
from typing import Any

import torch

SCHEMAS = (
    'nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor',
    'qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor',
)


def lacks_operators() -> bool:
    """Say whether torchvision is installed, but does not import without its operators."""
    try:
        import torchvision  # noqa: F401
    except ImportError:
        return False  # timm works without torchvision
    except RuntimeError:
        for module in [name for name in sys.modules if name.split('.')[0] == 'torchvision']:
            del sys.modules[module]  # only half of it was imported
        return True
    return False


def declare_schemas() -> torch.library.Library:
    """Declare torchvision's operators; they exist as long as the returned library does."""
    library = torch.library.Library('torchvision', 'DEF')
    for schema in SCHEMAS:
        library.define(schema)
    return library


def _import_timm() -> Any:
    import timm
    import timm.scheduler

    return timm


library = declare_schemas() if lacks_operators() else None  # None: timm imports without help
timm = _import_timm()
