"""
Build `tf2_msgs.msg.TFMessage` by the generators that come with the ROS packages of PyPI.

One extension module holds all that `colcon build` would make of the message: its functions in C,
their conversion from and to Python, and its serialization by Fast CDR. It needs a C++ compiler.
"""

import os
from pathlib import Path
import sys

from setuptools import Extension, setup

PACKAGE = 'tf2_msgs'
HERE = Path(__file__).resolve().parent
PREFIX = Path(sys.prefix)  # pip puts the headers, libraries and shares of ROS packages here
BUILD = HERE / 'build' / 'generated'
PYTHON = 'python'  # the folder below it of the Python modules
ASKED = {'bdist_wheel', 'build', 'build_ext', 'install'}
LIBRARIES = [
    'geometry_msgs__rosidl_generator_c',
    'geometry_msgs__rosidl_generator_py',
    'geometry_msgs__rosidl_typesupport_fastrtps_c',
    'geometry_msgs__rosidl_typesupport_introspection_c',
    'rosidl_typesupport_c',
    'rosidl_typesupport_fastrtps_c',
    'rosidl_typesupport_introspection_c',
    'rosidl_runtime_c',
    'rcutils',
    'fastcdr',
]

# The real package would be hidden by this one, or hide it, depending on the order of the paths.
for variable in ('ROS_DISTRO', 'AMENT_PREFIX_PATH'):
    if os.environ.get(variable):
        distro = os.environ.get('ROS_DISTRO') or '$ROS_DISTRO'
        raise SystemExit(
            f'husky-placerec-tf2-msgs is for machines without ROS, but {variable} is set: '
            f'use the tf2_msgs of ROS instead (apt install ros-{distro}-tf2-msgs).'
        )


def generated() -> list[str]:
    """Generate the sources of the message in `BUILD`; return those to compile."""
    from rosidl_generator_c.cli import GenerateC
    from rosidl_generator_py.cli import GeneratePython
    from rosidl_typesupport_fastrtps_c.cli import GenerateFastRTPSCTypesupport
    from rosidl_typesupport_introspection_c.cli import GenerateIntrospectionCTypesupport

    os.environ['AMENT_PREFIX_PATH'] = str(PREFIX)  # where the generators look for templates
    message, shares = [f'{HERE}:msg/TFMessage.msg'], [str(PREFIX / 'share')]
    made: list[str] = []
    for folder, generator in {
        'c': GenerateC('c'),
        'fastrtps': GenerateFastRTPSCTypesupport('fastrtps_c'),
        'introspection': GenerateIntrospectionCTypesupport('introspection_c'),
        PYTHON: GeneratePython('py', typesupport_implementations=['rosidl_typesupport_c']),
    }.items():
        # Each in a folder of its own: two generators give a file the same name.
        made += map(str, generator.generate(PACKAGE, message, shares, BUILD / folder / PACKAGE))
    return [os.path.relpath(each, HERE) for each in made if each.endswith(('.c', '.cpp'))]


def extension() -> Extension:
    """Return the one extension module; the headers of each package have a folder of their own."""
    import numpy

    sources = ['dispatcher.c', *generated()]
    return Extension(
        f'{PACKAGE}.{PACKAGE}_s__rosidl_typesupport_c',
        sources,
        include_dirs=[
            *map(str, BUILD.iterdir()),
            *map(str, (PREFIX / 'include').iterdir()),
            numpy.get_include(),
        ],
        libraries=LIBRARIES,
        library_dirs=[str(PREFIX / 'lib')],
        runtime_library_dirs=['$ORIGIN/../../..'],  # from lib/pythonX.Y/site-packages/tf2_msgs
    )


if ASKED & set(sys.argv):
    setup(
        packages=[PACKAGE, f'{PACKAGE}.msg'],
        package_dir={PACKAGE: os.path.relpath(BUILD / PYTHON / PACKAGE, HERE)},
        ext_modules=[extension()],
    )
else:
    setup()
