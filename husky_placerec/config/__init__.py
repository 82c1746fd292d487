"""
The parameters of the package. Each is declared once: default, unit, range and meaning.

The ROS node declares its parameters from these dataclasses. The command line reads the same YAML
file and `--set NAME=VALUE`. Every result is stored with the configuration that made it.
"""

from husky_placerec.config.construction import make_config
from husky_placerec.config.declaration import check_value, parameter
from husky_placerec.config.parameters import (
    CameraConfig,
    Config,
    declarations,
    FUSED,
    HUSKY_CAMERAS,
)
from husky_placerec.config.reading import read_config

__all__ = [
    'FUSED',
    'HUSKY_CAMERAS',
    'CameraConfig',
    'Config',
    'check_value',
    'declarations',
    'make_config',
    'parameter',
    'read_config',
]
