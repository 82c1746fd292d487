"""
Write docs/topics.md from what a node creates.

    python -m husky_placerec.ros.documentation > docs/topics.md
"""

from __future__ import annotations

from collections.abc import Iterator
import re
from typing import Any, cast

from husky_placerec.ros.inputs import IMAGE_QOS, ODOMETRY_QOS
from husky_placerec.ros.outputs import Outputs
from husky_placerec.ros.reporter import Reporter
from husky_placerec.ros.services import Services
import rclpy
from rclpy.context import Context
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import QoSProfile

HEAD = """# Topics and services

Made by `python -m husky_placerec.ros.documentation > docs/topics.md`.

The node is a lifecycle node named `placerec`. It publishes the pose of `base_link` in the frame
of the map. A name that begins with `~/` is below the name of the node: `~/pose` is
`/placerec/pose`, or `/a200_0000/placerec/pose` in the namespace `a200_0000`.
"""
NAME = 'placerec'
RCLPY = {'/parameter_events', '/rosout'}  # what every node has
RCLPY_SERVICES = re.compile('parameters|parameter_types|type_description')
PUBLISHED = {
    '~/pose': 'The accepted pose, stamped as the front image. On a calibrated map only while the '
    'sequence is LOCALIZED.',
    '~/pose_with_covariance': 'The accepted measurement of a single frame, without odometry, '
    'for an EKF.',
    'initialpose': 'A pose to start from, for AMCL and slam_toolbox; `initial_pose` switches it '
    'on.',
    '~/candidates': 'The poses of the best places, while somebody subscribes.',
    '~/markers': 'The same as markers for RViz and Foxglove, while somebody subscribes.',
    '~/match_image': 'The images of the frame above those of the best place, while somebody '
    'subscribes. The map needs thumbnails.',
    '~/state': '`LOST`, `TENTATIVE` or `LOCALIZED`.',
    '/diagnostics': 'Once a second: rates, pairs, drops, latency, and what to do where something '
    'is wrong.',
}
SERVED = {
    '~/relocalize': 'Forget all frames, and give a new `initialpose` where it is switched on.',
    '~/enable': 'Let frames through (`true`) or hold all of them back (`false`).',
    '~/reload_map': 'Read the present version of the map. Recognition goes on meanwhile.',
}
INPUTS = """## Subscribed

| topic | type | QoS | meaning |
|---|---|---|---|
| `camera.<name>.topic` | `sensor_msgs/msg/CompressedImage`, or `Image` with `transport: raw` | \
{images} | The images of a camera. |
| `camera.<name>.info_topic` | `sensor_msgs/msg/CameraInfo` | | \
The intrinsics, where they are needed. |
| `/tf_static` | `tf2_msgs/msg/TFMessage` | | The mounting of the cameras, where it is needed. |
| `odometry_topic` | `nav_msgs/msg/Odometry` | {odometry} | The motion of the robot. Empty: none. |
| `imu_topic` | `sensor_msgs/msg/Imu` | {odometry} | The direction up. Empty: none. |
| `camera.<name>.mask_topic` | `Image` or `CompressedImage` | \
{images} | The classes of the pixels. |

The first column names the [parameter](parameters.md) that has the topic, except `/tf_static`. A
parameter `qos_overrides.<topic>.subscription.<policy>` changes the QoS of images and odometry.
With `publish_tf` the node also broadcasts the transform from the map to `odom` on `/tf`.
"""


def documentation() -> str:
    """Return the text of docs/topics.md; starts and ends a node that talks to nobody."""
    context = Context()
    rclpy.init(context=context, args=[])
    node = LifecycleNode(
        NAME, context=context, use_global_arguments=False, enable_communication_interface=False
    )
    try:
        Reporter(cast(Any, node))
        Outputs(node, cast(Any, None))
        Services(node, cast(Any, None))
        return '\n'.join([HEAD, *_published(node), '', *_served(node), '', _inputs()])
    finally:
        node.destroy_node()
        rclpy.try_shutdown(context=context)


def _published(node: LifecycleNode) -> Iterator[str]:
    yield from ('## Published', '', '| topic | type | QoS | meaning |', '|---|---|---|---|')
    for publisher in node.publishers:
        if publisher.topic_name not in RCLPY:
            name, qos = _short(publisher.topic_name), _qos(publisher.qos_profile)
            yield f'| `{name}` | `{_kind(publisher.msg_type)}` | {qos} | {PUBLISHED[name]} |'


def _served(node: LifecycleNode) -> Iterator[str]:
    yield from ('## Services', '', '| service | type | what it does |', '|---|---|---|')
    for service in node.services:
        name = _short(node.resolve_service_name(service.srv_name))
        if not RCLPY_SERVICES.search(name):
            yield f'| `{name}` | `{_kind(service.srv_type)}` | {SERVED[name]} |'


def _inputs() -> str:
    return INPUTS.format(images=_qos(IMAGE_QOS), odometry=_qos(ODOMETRY_QOS))


def _short(name: str) -> str:
    own = f'/{NAME}/'
    if name.startswith(own):
        return f'~/{name.removeprefix(own)}'
    return name if name == '/diagnostics' else name.removeprefix('/')


def _kind(kind: Any) -> str:
    package, module, _ = kind.__module__.split('.')
    return f'{package}/{module}/{kind.__name__}'


def _qos(profile: QoSProfile) -> str:
    latched = ', latched' if profile.durability.name == 'TRANSIENT_LOCAL' else ''
    return f'{profile.reliability.name.lower().replace("_", " ")}, depth {profile.depth}{latched}'


if __name__ == '__main__':
    print(documentation(), end='')
