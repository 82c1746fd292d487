"""What a mapping drive needs to be recorded, by the parameters of the node that will use it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
import tempfile

from husky_placerec.config import Config
import yaml

TRANSFORMS = ('tf', 'tf_static')
# rosbag2 takes the QoS that publishers offer, but not of those that come later than it.
STATIC_QOS = {'history': 'keep_last', 'depth': 100, 'durability': 'transient_local'}


def recorded_topics(config: Config, namespace: str = '', more: Sequence[str] = ()) -> list[str]:
    """
    Return the whole names of the topics that a map, its poses and a replay are made of.

    :param more: topics with poses, or whatever else.
    """
    images = [config.camera_config(name).topic for name in config.cameras]
    odometry = [config.odometry_topic] if config.odometry_topic else []
    topics = [*images, *map(_camera_info, images), *odometry, *TRANSFORMS, *more]
    return list(dict.fromkeys(whole_name(topic, namespace) for topic in topics))


def record_command(
    config: Config, output: str, *, namespace: str = '', more: Sequence[str] = ()
) -> list[str]:
    """Return the command that records them with rosbag2."""
    qos = {whole_name('tf_static', namespace): STATIC_QOS}
    with tempfile.NamedTemporaryFile('w', suffix='.yaml', delete=False) as file:
        yaml.safe_dump(qos, file)
    overrides = '--qos-profile-overrides-path', file.name
    topics = recorded_topics(config, namespace, more)
    return ['ros2', 'bag', 'record', '-s', 'mcap', '-o', output, *overrides, '--topics', *topics]


def whole_name(topic: str, namespace: str) -> str:
    """Return a topic as a node in that namespace would name it."""
    if topic.startswith('/') or not namespace.strip('/'):
        return '/' + topic.strip('/')
    return f'/{namespace.strip("/")}/{topic}'


def _camera_info(image: str) -> str:
    """Return the topic of the intrinsics, which lies beside the image's."""
    path = Path(image)
    path = (
        path.parent if path.name == 'compressed' and path.parent.name.startswith('image') else path
    )
    return str(path.parent / 'camera_info')
