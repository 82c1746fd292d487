"""Parameters of the ROS node alone: when it works, what it lets through, what it says."""

from __future__ import annotations

from dataclasses import dataclass

from husky_placerec.config.declaration import parameter


@dataclass(frozen=True)
class NodeConfig:
    """What a replay of a bag does not need, but for the topic of the odometry."""

    autostart: bool = parameter(
        True,
        'Configure and activate at the start, and end when that fails; false where a lifecycle '
        'manager does it.',
    )
    recognitions_file: str = parameter(
        '',
        'File to which the node appends each recognition as a line of JSON, with all that '
        '`placerec replay --stamps` needs to repeat it; empty: none.',
    )
    odometry_topic: str = parameter(
        '', 'Topic of nav_msgs/Odometry, of base_link in the frame odom; empty: none.'
    )

    max_rate: float = parameter(
        0.0,
        'Most frames that are recognised in a second of their stamps; 0: all.',
        unit='Hz',
        least=0.0,
        most=1000.0,
        dynamic=True,
    )
    max_age: float = parameter(
        0.0,
        'Oldest frame that is recognised, by its stamp; 0: any. What is older than a minute is '
        'a replay without /clock: it is recognised, with a warning.',
        unit='s',
        least=0.0,
        most=60.0,
        dynamic=True,
    )
    min_travel: float = parameter(
        0.0,
        'Distance driven, by the odometry, between two frames that are recognised; 0: none.',
        unit='m',
        least=0.0,
        most=1000.0,
        dynamic=True,
    )

    measurement_spacing: float = parameter(
        3.0,
        'Distance between two poses on ~/pose_with_covariance: nearer ones are of the same '
        'places, and their errors the same.',
        unit='m',
        least=0.0,
        most=1000.0,
        dynamic=True,
    )
    initial_pose: str = parameter(
        'off',
        'When a pose is given on initialpose: never (off), at each call of ~/relocalize '
        '(relocalize), or also once after each activation (once).',
        choices=('off', 'relocalize', 'once'),
        dynamic=True,
    )
    initial_pose_sigma: float = parameter(
        3.0,
        'Largest standard deviation, in x and in y, of a pose on initialpose.',
        unit='m',
        least=0.0,
        most=1000.0,
        dynamic=True,
    )
    initial_pose_spacing: float = parameter(
        10.0,
        'Distance from the last pose on initialpose below which none is given again.',
        unit='m',
        least=0.0,
        most=10000.0,
        dynamic=True,
    )
    publish_tf: bool = parameter(
        False,
        'Broadcast the transform from the map frame to odom, by the odometry (REP 105); only '
        'where nothing else does.',
    )
