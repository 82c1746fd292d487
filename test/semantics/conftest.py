"""The published segmentation network, where it is at hand."""

import pytest
from support.paths import SHARED_DATA


@pytest.fixture
def deeplab():
    """Return the file of DeepLab v3 on MobileNetV2, of PASCAL VOC."""
    file = SHARED_DATA / 'deeplab' / 'deeplabv3_mnv2_pascal_quant.tflite'
    if not file.is_file():
        pytest.skip(f'needs {file.name}, which is not in the repository')
    return file
