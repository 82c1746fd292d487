"""Export to MCAP, with the messages of ROS 2 that Foxglove shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
import shutil
from tempfile import TemporaryDirectory

from husky_placerec.data.bag_writer import BagWriter
from husky_placerec.data.messages import compressed_image, header, IMAGE, serialized, TYPES
from husky_placerec.files import new_file
from husky_placerec.viewer.exports.frames import cameras_of, ExportedFrame
from husky_placerec.viewer.exports.messages import (
    diagnostics,
    MARKERS,
    markers,
    place_markers,
    pose_of,
)
from husky_placerec.viewer.run import Run

POSE, POSES = 'geometry_msgs/msg/PoseStamped', 'geometry_msgs/msg/PoseArray'
NUMBER, DIAGNOSTICS = 'std_msgs/msg/Float64', 'diagnostic_msgs/msg/DiagnosticArray'
TOPICS = {
    '/placerec/pose': POSE,
    '/placerec/refused_pose': POSE,
    '/placerec/candidates': POSES,
    '/placerec/markers': MARKERS,
    '/placerec/places': MARKERS,
    '/placerec/probability': NUMBER,
    '/placerec/error_m': NUMBER,
    '/true_pose': POSE,
    '/diagnostics': DIAGNOSTICS,
}
Message = tuple[str, int, bytes]  # topic, stamp in ns, CDR bytes


def write_mcap(path: Path, run: Run, frames: Iterable[ExportedFrame]) -> int:
    """
    Write a file atomically, and return its number of frames.

    Poses and markers are in the frame of the map. An accepted pose is on /placerec/pose as the
    node publishes it, a refused one on /placerec/refused_pose.
    """
    topics = dict(TOPICS)
    for camera in cameras_of(run):
        topics[_image_topic('seen', camera)] = topics[_image_topic('place', camera)] = IMAGE
    count = 0
    with TemporaryDirectory(prefix='placerec-', dir=path.absolute().parent) as folder:
        bag = Path(folder) / 'bag'
        with BagWriter(bag, topics) as writer:
            for frame in frames:
                if not count:
                    places = place_markers(run.places, frame.recognition.stamp_ns)
                    data = serialized(places, MARKERS)
                    writer.write('/placerec/places', frame.recognition.stamp_ns, data)
                for message in _messages(frame, run.places.frame_id):
                    writer.write(*message)
                count += 1
        with new_file(path) as work:
            shutil.move(str(next(bag.glob('*.mcap'))), work)
    return count


def _image_topic(kind: str, camera: str) -> str:
    return f'/{kind}/{camera}/compressed'


def _messages(frame: ExportedFrame, frame_id: str) -> Iterator[Message]:
    said, truth = frame.recognition, frame.truth
    stamp_ns = said.stamp_ns
    stamped, poses = TYPES['PoseStamped'], TYPES['PoseArray']
    top = header(stamp_ns, frame_id)
    if said.pose is not None:
        topic = '/placerec/pose' if said.accepted else '/placerec/refused_pose'
        yield topic, stamp_ns, serialized(stamped(top, pose_of(said.pose)), POSE)
    if truth is not None:
        yield '/true_pose', stamp_ns, serialized(stamped(top, pose_of(truth)), POSE)
    found = poses(top, [pose_of(candidate.pose) for candidate in said.candidates])
    yield '/placerec/candidates', stamp_ns, serialized(found, POSES)
    drawn = markers(said, truth, stamp_ns, frame_id)
    yield '/placerec/markers', stamp_ns, serialized(drawn, MARKERS)
    numbers = {'probability': said.probability}
    if said.pose is not None and truth is not None:
        numbers['error_m'] = said.pose.distance_m(truth)
    for name, value in numbers.items():
        if value is not None:
            data = serialized(TYPES['Float64'](float(value)), NUMBER)
            yield f'/placerec/{name}', stamp_ns, data
    yield '/diagnostics', stamp_ns, serialized(diagnostics(said, truth), DIAGNOSTICS)
    for kind, photos in (('seen', frame.seen), ('place', frame.found)):
        for camera, photo in photos.items():
            image = compressed_image(stamp_ns, camera, photo.jpeg, 'jpeg')
            yield _image_topic(kind, camera), stamp_ns, serialized(image, IMAGE)
