"""The topics to record on a mapping drive, and the command that records them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
import tempfile

from husky_placerec.config import Config
import yaml

TRANSFORMS = ('tf', 'tf_static')
# rosbag2 takes the QoS from the publishers that exist when it starts. A publisher of tf_static may
# start later, so its QoS is given here.
STATIC_QOS = {'history': 'keep_last', 'depth': 100, 'durability': 'transient_local'}


def recorded_topics(config: Config, namespace: str = '', more: Sequence[str] = ()) -> list[str]:
    """
    Return the full names of the topics that the building of a map and a replay need.

    These are images, camera infos, odometry and transforms.

    :param more: other topics, such as those with poses.
    """
    images = [config.camera_config(name).topic for name in config.cameras]
    odometry = [config.odometry_topic] if config.odometry_topic else []
    topics = [*images, *map(_camera_info, images), *odometry, *TRANSFORMS, *more]
    return list(dict.fromkeys(whole_name(topic, namespace) for topic in topics))


def record_command(
    config: Config, output: str, *, namespace: str = '', more: Sequence[str] = ()
) -> list[str]:
    """
    Return the command that records these topics with rosbag2; a temporary file has its QoS.

    The topics come last and without an option, because the rosbag2 of Humble has no `--topics`.
    """
    qos = {whole_name('tf_static', namespace): STATIC_QOS}
    with tempfile.NamedTemporaryFile('w', suffix='.yaml', delete=False) as file:
        yaml.safe_dump(qos, file)
    overrides = '--qos-profile-overrides-path', file.name
    topics = recorded_topics(config, namespace, more)
    return ['ros2', 'bag', 'record', '-s', 'mcap', '-o', output, *overrides, *topics]


def whole_name(topic: str, namespace: str) -> str:
    """Return the full name of a topic in a namespace."""
    if topic.startswith('/') or not namespace.strip('/'):
        return '/' + topic.strip('/')
    return f'/{namespace.strip("/")}/{topic}'


def _camera_info(image: str) -> str:
    """Return the topic of the CameraInfo that belongs to a topic of images."""
    path = Path(image)
    path = (
        path.parent if path.name == 'compressed' and path.parent.name.startswith('image') else path
    )
    return str(path.parent / 'camera_info')
