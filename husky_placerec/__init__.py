"""Visual place recognition for a robot with several cameras; the core needs no ROS."""

__version__ = '0.1.0'
