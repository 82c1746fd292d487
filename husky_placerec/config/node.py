"""Parameters of the ROS node: its start, its inputs and its outputs."""

from __future__ import annotations

from dataclasses import dataclass

from husky_placerec.config.declaration import parameter


@dataclass(frozen=True)
class NodeConfig:
    """Parameters that only the node uses; a replay of a bag also uses `odometry_topic`."""

    autostart: bool = parameter(
        True,
        'Configure and activate the node at its start, and end the process if that fails; false: '
        'a lifecycle manager does it.',
    )
    recognitions_file: str = parameter(
        '',
        'File to which the node appends each recognition as a line of JSON, with all that '
        '`placerec replay --stamps` needs to repeat it; empty: no file.',
    )
    odometry_topic: str = parameter(
        '',
        'Topic of nav_msgs/Odometry with the pose of base_link in the frame odom; empty: no '
        'odometry.',
    )
    imu_topic: str = parameter(
        '',
        'Topic of sensor_msgs/Imu, whose axes have to be those of base_link: its direction of '
        'gravity helps poses by landmarks; empty: the robot is expected to stand as it was '
        'mapped.',
    )

    max_rate: float = parameter(
        0.0,
        'Largest rate of the frames that are recognised, by their stamps; 0: no limit.',
        unit='Hz',
        least=0.0,
        most=1000.0,
        zero_or=0.001,
        dynamic=True,
    )
    max_age: float = parameter(
        0.0,
        'Largest age of a frame that is recognised, by its stamp; 0: no limit. A frame of over a '
        'minute is taken for a replay without /clock and is recognised, with a warning.',
        unit='s',
        least=0.0,
        most=60.0,
        zero_or=0.001,
        dynamic=True,
    )
    min_travel: float = parameter(
        0.0,
        'Least distance between two frames that are recognised, by the odometry; 0: no limit.',
        unit='m',
        least=0.0,
        most=1000.0,
        dynamic=True,
    )

    text_rate: float = parameter(
        1.0,
        'Largest rate of the frames whose texts are read, in a thread of its own.',
        unit='Hz',
        least=0.01,
        most=100.0,
    )
    text_budget: float = parameter(
        0.3,
        'Time for reading the texts of one image; signs for which there is none are left.',
        unit='s',
        least=0.001,
        most=60.0,
    )
    text_age: float = parameter(
        1.0,
        'Age up to which the texts that were last read count for a frame, by the stamps.',
        unit='s',
        least=0.0,
        most=60.0,
    )
    measurement_spacing: float = parameter(
        3.0,
        'Least distance between two poses on ~/pose_with_covariance; the errors of nearer ones '
        'are correlated, because they come from the same places.',
        unit='m',
        least=0.0,
        most=1000.0,
        dynamic=True,
    )
    initial_pose: str = parameter(
        'off',
        'When a pose is published on initialpose: never (off), after each call of ~/relocalize '
        '(relocalize), or also once after each activation (once).',
        choices=('off', 'relocalize', 'once'),
        dynamic=True,
    )
    initial_pose_sigma: float = parameter(
        3.0,
        'Largest standard deviation of a pose on initialpose, in x and in y.',
        unit='m',
        least=0.0,
        most=1000.0,
        dynamic=True,
    )
    initial_pose_spacing: float = parameter(
        10.0,
        'Least distance between two poses on initialpose in a row.',
        unit='m',
        least=0.0,
        most=10000.0,
        dynamic=True,
    )
    publish_tf: bool = parameter(
        False,
        'Broadcast the transform from the map frame to odom (REP 105), by the odometry; only for '
        'a robot on which nothing else broadcasts it.',
    )
