"""The start of ROS by the arguments of a process."""

from __future__ import annotations

from collections.abc import Sequence

from husky_placerec.errors import InputError
import rclpy


def start_ros(arguments: Sequence[str]) -> None:
    """
    Start ROS.

    :param arguments: of the process, `sys.argv`.
    :raises InputError: for arguments that ROS refuses, such as a parameter file that is missing.
    """
    try:
        rclpy.init(args=list(arguments))
    except RuntimeError as error:  # the error of rclpy is one, and private
        raise InputError(str(error).partition('\n')[0]) from error
