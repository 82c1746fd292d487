"""What the node publishes about each recognition."""

from __future__ import annotations

from geometry_msgs.msg import PoseArray, PoseStamped, PoseWithCovarianceStamped
from husky_placerec.config import Config
from husky_placerec.recognition.recognizer import Recognizer
from husky_placerec.recognition.states import State
from husky_placerec.ros.conversions import (
    to_header,
    to_image,
    to_pose,
    to_pose_stamped,
    to_pose_with_covariance,
)
from husky_placerec.ros.initial_pose import InitialPose
from husky_placerec.ros.markers import markers
from husky_placerec.ros.match_image import match_image
from husky_placerec.types import Frame, Pixels, Pose, Recognition
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import Image
from std_msgs.msg import Header, String
from visualization_msgs.msg import MarkerArray

RELIABLE = QoSProfile(depth=10)
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class Outputs:
    """The publishers; pictures and markers are only made for those who look at them."""

    def __init__(self, node: LifecycleNode, recognizer: Recognizer, config: Config) -> None:
        self.initial = InitialPose(config)
        self._node = node
        self._recognizer = recognizer
        self._spacing_m = config.measurement_spacing
        self._measured: Pose | None = None  # the last on ~/pose_with_covariance
        self._told: str | None = None  # the last on ~/state
        make = node.create_lifecycle_publisher
        self._pose = make(PoseStamped, '~/pose', RELIABLE)
        self._measurement = make(PoseWithCovarianceStamped, '~/pose_with_covariance', RELIABLE)
        self._initial_pose = make(PoseWithCovarianceStamped, 'initialpose', RELIABLE)
        self._candidates = make(PoseArray, '~/candidates', RELIABLE)
        self._markers = make(MarkerArray, '~/markers', RELIABLE)
        self._match_image = make(Image, '~/match_image', RELIABLE)
        self._state = make(String, '~/state', LATCHED)

    def close(self) -> None:
        for publisher in (
            *(self._pose, self._measurement, self._initial_pose, self._candidates),
            *(self._markers, self._match_image, self._state),
        ):
            self._node.destroy_lifecycle_publisher(publisher)

    def configure(self, config: Config) -> None:
        self.initial.configure(config)
        self._spacing_m = config.measurement_spacing

    def publish(self, recognition: Recognition, frame: Frame[Pixels]) -> None:
        header = to_header(recognition.stamp_ns, self._recognizer.place_map.frame_id)
        if recognition.accepted and recognition.pose is not None:
            self._pose.publish(to_pose_stamped(recognition.pose, header))
        self._publish_measurement(recognition, header)
        self._publish_initial_pose(recognition, header)
        accepted = State.LOCALIZED if recognition.accepted else State.LOST
        self.publish_state(recognition.state or accepted)
        self._publish_views(recognition, frame, header)

    def publish_state(self, state: str) -> None:
        """Tell the state where it changed; who comes later is told the last one."""
        name = State(state).value
        if name != self._told:
            self._told = name
            self._state.publish(String(data=name))

    def _publish_measurement(self, recognition: Recognition, header: Header) -> None:
        """Tell what this frame alone says: an EKF that has the odometry must not get it twice."""
        said = recognition.measurement
        if said is None or not said.accepted or said.pose is None or said.covariance is None:
            return
        if self._measured and self._measured.distance_m(said.pose) < self._spacing_m:
            return
        self._measured = said.pose
        self._measurement.publish(
            to_pose_with_covariance(said.pose, said.covariance, header, said.covariance_xy)
        )

    def _publish_initial_pose(self, recognition: Recognition, header: Header) -> None:
        listeners = self._initial_pose.get_subscription_count()
        pose = self.initial.take(recognition, self._recognizer.calibration, listeners)
        if pose is not None and recognition.covariance is not None:
            # Diagonal: newer versions of AMCL refuse any negative element.
            message = to_pose_with_covariance(pose, recognition.covariance, header)
            self._initial_pose.publish(message)

    def _publish_views(
        self, recognition: Recognition, frame: Frame[Pixels], header: Header
    ) -> None:
        if self._candidates.get_subscription_count():
            poses = [to_pose(candidate.pose) for candidate in recognition.candidates]
            self._candidates.publish(PoseArray(header=header, poses=poses))
        if self._markers.get_subscription_count():
            self._markers.publish(markers(recognition, header))
        if self._match_image.get_subscription_count():
            picture = match_image(recognition, frame, self._recognizer.place_map)
            self._match_image.publish(to_image(picture, header))
