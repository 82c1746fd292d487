"""The work of the node without ROS: frames in, recognitions and the state out."""

from husky_placerec.session.session import Observer, Session

__all__ = ['Observer', 'Session']
