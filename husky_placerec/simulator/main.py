"""The process of the simulator; it says which libraries are missing before it imports them."""

from __future__ import annotations

import sys

from husky_placerec.errors import InputError
from husky_placerec.optional import require
from rclpy.logging import get_logger


def main() -> None:
    """Run the simulator by its ROS parameters; exit with 2 when it cannot start."""
    try:
        require('numba', 'PIL')
    except InputError as error:
        get_logger('simulator').fatal(str(error))
        sys.exit(2)
    from husky_placerec.simulator.node import run

    sys.exit(run())


if __name__ == '__main__':
    main()
