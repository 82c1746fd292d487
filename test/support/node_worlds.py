"""The parameters of the nodes whose faults are tested."""

from support.robot import HOG

PARAMETERS = {**HOG, 'odometry_topic': 'platform/odom'}
