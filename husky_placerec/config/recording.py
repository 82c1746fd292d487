"""The topics to record on a mapping drive, by the parameters of the node."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
import tempfile

from husky_placerec.config import Config
import yaml

TRANSFORMS = ('tf', 'tf_static')
# rosbag2 adapts to the QoS of the publishers that are there at its start, not to later ones.
STATIC_QOS = {'history': 'keep_last', 'depth': 100, 'durability': 'transient_local'}


def recorded_topics(config: Config, namespace: str = '', more: Sequence[str] = ()) -> list[str]:
    """
    Return the full names of the topics that a map and a replay need.

    :param more: other topics, such as those with poses.
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
    """Return the full name of a topic in a namespace."""
    if topic.startswith('/') or not namespace.strip('/'):
        return '/' + topic.strip('/')
    return f'/{namespace.strip("/")}/{topic}'


def _camera_info(image: str) -> str:
    """Return the topic of the CameraInfo, beside the topic of the images."""
    path = Path(image)
    path = (
        path.parent if path.name == 'compressed' and path.parent.name.startswith('image') else path
    )
    return str(path.parent / 'camera_info')
