"""The publishers of the node."""

from __future__ import annotations

from geometry_msgs.msg import PoseArray, PoseStamped, PoseWithCovarianceStamped
from husky_placerec.ros.conversions import (
    to_header,
    to_image,
    to_pose,
    to_pose_stamped,
    to_pose_with_covariance,
)
from husky_placerec.ros.markers import markers
from husky_placerec.session import Session
from husky_placerec.session.initial_pose import InitialPose
from husky_placerec.session.match_image import match_image
from husky_placerec.types import Frame, Pixels, Pose, Recognition, State
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import Image
from std_msgs.msg import Header, String
from visualization_msgs.msg import MarkerArray

RELIABLE = QoSProfile(depth=10)
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class Outputs:
    """The publishers. Pictures and markers are made only where somebody subscribes."""

    def __init__(self, node: LifecycleNode, session: Session) -> None:
        self._node = node
        self._session = session
        self._initial = InitialPose()
        self._measured: Pose | None = None  # the last on ~/pose_with_covariance
        make = node.create_lifecycle_publisher
        self._pose = make(PoseStamped, '~/pose', RELIABLE)
        self._measurement = make(PoseWithCovarianceStamped, '~/pose_with_covariance', RELIABLE)
        self._initial_pose = make(PoseWithCovarianceStamped, 'initialpose', RELIABLE)
        self._candidates = make(PoseArray, '~/candidates', RELIABLE)
        self._markers = make(MarkerArray, '~/markers', RELIABLE)
        self._match_image = make(Image, '~/match_image', RELIABLE)
        self._state = make(String, '~/state', LATCHED)

    def close(self) -> None:
        """Remove the publishers from the node."""
        for publisher in (
            *(self._pose, self._measurement, self._initial_pose, self._candidates),
            *(self._markers, self._match_image, self._state),
        ):
            self._node.destroy_lifecycle_publisher(publisher)

    def activated(self) -> None:
        """Tell the state, and make an initial pose due where it is asked for at the start."""
        self._initial.activated(self._session.config)
        self.publish_state(self._session.state)

    def ask_initial_pose(self) -> bool:
        """Give the next good pose to the localizer; return whether that is switched on."""
        return self._initial.ask(self._session.config)

    @property
    def initial_pose_waits_for(self) -> str:
        """What has to happen before a pose is published on initialpose."""
        return self._initial.waits_for(self._session.config)

    def begin_anew(self) -> None:
        """Publish the next measurement, wherever it is."""
        self._measured = None

    def publish(self, recognition: Recognition, frame: Frame[Pixels]) -> None:
        """Publish a recognition, stamped as its frame."""
        frame_id = self._session.recognizer.place_map.frame_id
        header = to_header(recognition.stamp_ns, frame_id)
        if recognition.accepted and recognition.pose is not None:
            self._pose.publish(to_pose_stamped(recognition.pose, header))
        self._publish_measurement(recognition, header)
        self._publish_initial_pose(recognition, header)
        self._publish_views(recognition, frame, header)

    def publish_state(self, state: State) -> None:
        """Publish the state; it is latched, so that later subscribers get it too."""
        if self._node.context.ok():  # a process that ends has left DDS before the session stops
            self._state.publish(String(data=state.value))

    def _publish_measurement(self, recognition: Recognition, header: Header) -> None:
        """Publish what this frame says alone: an EKF shall not get the odometry twice."""
        said = recognition.measurement
        if said is None or not said.accepted or said.pose is None or said.covariance is None:
            return
        if recognition.state not in (None, State.LOCALIZED.value):
            return  # the frames before it do not bear it out
        spacing_m = self._session.config.measurement_spacing
        if self._measured and self._measured.distance_m(said.pose) < spacing_m:
            return
        self._measured = said.pose
        self._measurement.publish(
            to_pose_with_covariance(said.pose, said.covariance, header, said.covariance_xy)
        )

    def _publish_initial_pose(self, recognition: Recognition, header: Header) -> None:
        listeners = self._initial_pose.get_subscription_count()
        grade, config = self._session.recognizer.grade, self._session.config
        pose = self._initial.take(recognition, grade, listeners, config)
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
            picture = match_image(recognition, frame, self._session.recognizer.place_map)
            self._match_image.publish(to_image(picture, header))
