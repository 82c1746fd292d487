"""A network that is small enough for a test, with weights made here; nothing is downloaded."""

from __future__ import annotations

from importlib.util import find_spec

from husky_placerec.config import make_config
from husky_placerec.descriptor.extractor import load_extractor
import pytest
from support.builders import frame, smooth_image

SMALL = {
    'extractor': 'timm',
    'backbone': 'mobilenetv3_small_050',
    'weights': 'random',
    'input_width': 64,
    'input_height': 64,
    'threads': 1,
}
FRONT_IMAGE, BACK_IMAGE = smooth_image(1, 64, 64), smooth_image(2, 64, 64)


def load_network(**changes):
    """Load the small network's extractor with other parameters; skip the test without torch."""
    # find_spec does not import: only timm_import.py can import timm beside any torchvision.
    if not all(map(find_spec, ['torch', 'timm', 'safetensors'])):
        pytest.skip('needs the extra [timm]')
    return load_extractor(make_config({**SMALL, **changes}))


def describe_both(extractor):
    """Describe a frame that has both cameras."""
    return extractor.describe(frame(front=FRONT_IMAGE, back=BACK_IMAGE))
