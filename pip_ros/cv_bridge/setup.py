import os

from setuptools import setup

# The real package would be hidden by this one, or hide it, depending on the order of the paths.
for variable in ('ROS_DISTRO', 'AMENT_PREFIX_PATH'):
    if os.environ.get(variable):
        distro = os.environ.get('ROS_DISTRO') or '$ROS_DISTRO'
        raise SystemExit(
            f'husky-placerec-cv-bridge is for machines without ROS, but {variable} is set: '
            f'use the cv_bridge of ROS instead (apt install ros-{distro}-cv-bridge).'
        )

setup()
