"""Parameters of masks: which pixels count less in a descriptor, and where masks come from."""

from __future__ import annotations

from dataclasses import dataclass

from husky_placerec.config.declaration import parameter


@dataclass(frozen=True)
class MaskConfig:
    """Parameters of the masks of dynamic classes."""

    masks: bool = parameter(
        False,
        'Let pixels of what moves (people, cars, animals), and of the robot itself, count less in '
        'the pooling of a network. Map and queries should be described alike.',
    )
    mask_floor: float = parameter(
        0.3,
        'Weight of a pixel that moves; a static one has 1. 0: it does not count at all.',
        least=0.0,
        most=1.0,
    )
    mask_classes: str = parameter(
        'vistas',
        'Table of the classes in the masks: vistas (Mapillary Vistas, 65), cityscapes (the 19 '
        'that networks are trained on), cityscapes_ids (the 34 of its label files), ade20k (150) '
        'or voc (PASCAL VOC, 21).',
        choices=('vistas', 'cityscapes', 'cityscapes_ids', 'ade20k', 'voc'),
    )
    mask_dynamic: str = parameter(
        '',
        'Names of the classes that count as moving, separated by commas; or changes to those of '
        'the table, each with a sign, such as +snow, -boat; empty: those of the table.',
    )
    segmentation: str = parameter(
        '',
        'File of a segmentation network, .onnx or .tflite, whose classes are `mask_classes`; it '
        'makes the masks of images that come without one; empty: none.',
    )
    segmentation_input: str = parameter(
        'imagenet',
        'Normalisation of the RGB input of a segmentation network that takes float32: imagenet, '
        'half (0.5 and 0.5) or unit (0 to 1).',
        choices=('imagenet', 'half', 'unit'),
    )
    segmentation_budget: float = parameter(
        0.1,
        'Longest time that a frame of the node waits for its masks from `segmentation`; then it '
        'goes on without them. Offline there is no limit.',
        unit='s',
        least=0.0,
        most=60.0,
    )
