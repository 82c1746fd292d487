"""The drives of an evaluation as queries: what the recognizer is given of each frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from husky_placerec.config import Config
from husky_placerec.data.trajectory import Trajectory
from husky_placerec.descriptor.local.network import LocalValues
from husky_placerec.descriptor.local.spec import LocalSpec
from husky_placerec.evaluation.cache import Descriptors
from husky_placerec.evaluation.tracks import Track
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.types import FloatArray, Indices, Mask
import numpy as np


@dataclass(frozen=True, eq=False)
class QueryDrive:
    """
    A drive as the queries: all N frames of its source.

    :param track: the Q frames that are judged, those whose pose is known; `track.rows` says which
        of the N they are.
    :param stamps_ns: [N].
    :param descriptors: [N, C, D], zeros for a camera without a usable image.
    :param decoded: [N] whether an image of the frame decodes; a replay skips the other frames.
    :param unusable: [N] whether nothing can be seen in any image of the frame.
    :param odometry: poses in the frame `odom`; None where the source has none, or where no map
        is calibrated, so that none is needed.
    :param local: [N, C, cells, D] local descriptors by branch, zeros as in `descriptors`.
    """

    track: Track
    stamps_ns: Indices
    descriptors: FloatArray
    decoded: Mask
    unusable: Mask
    odometry: Trajectory | None = None
    local: Mapping[str, LocalValues] = field(default_factory=dict)

    def local_like(self, place_map: PlaceMap) -> LocalValues | None:
        """Return [N, C, cells, D] local descriptors as a map has them; None where it has none."""
        return None if place_map.local is None else self.local.get(place_map.local.spec.branch)

    @property
    def judged(self) -> FloatArray:
        """The descriptors [Q, C, D] of the frames that are judged."""
        rows = self.track.rows
        return self.descriptors if len(rows) == len(self.stamps_ns) else self.descriptors[rows]


def query_drive(
    track: Track, descriptors: Descriptors, config: Config, local: Sequence[LocalSpec] = ()
) -> QueryDrive:
    """
    Return a drive as the recognizer is given it, without its unusable images.

    :param local: specs of the branches of its local descriptors.
    """
    vectors = descriptors.vectors
    used = _used(descriptors, config)
    decoded = _any(descriptors.seen)
    kept = used if _is_concatenated(descriptors) else _any(used)[:, None]
    if not kept[decoded].all():
        vectors = vectors * kept[..., None].astype(np.float32)
    unusable = decoded & ~_any(used)
    cells = {
        spec.branch: descriptors.local[:, branch] * used[:, :, None, None]
        for branch, spec in enumerate(local)
    }
    stamps_ns = np.asarray(descriptors.stamps_ns)
    return QueryDrive(track, stamps_ns, vectors, decoded, unusable, local=cells)


def fused_note(track: Track, descriptors: Descriptors, config: Config) -> str:
    """Return a note where fused descriptors include unusable images; else an empty string."""
    used, seen = _used(descriptors, config), np.asarray(descriptors.seen)
    count = int((_any(used) & _any(seen & ~used)).sum())
    if not count or _is_concatenated(descriptors):
        return ''
    return (
        f'{track.path}: {count} frames have an unusable image in their fused descriptor; a replay '
        'leaves such an image out'
    )


def _any(cameras: Mask) -> Mask:
    """Return [N] whether [N, C] holds for any camera."""
    return np.asarray(cameras.any(axis=1), np.bool_)


def _used(descriptors: Descriptors, config: Config) -> Mask:
    """Return [N, C] which images the recognizer uses."""
    return np.asarray(descriptors.usable if config.check_images else descriptors.seen)


def _is_concatenated(descriptors: Descriptors) -> bool:
    """Return whether each camera has a row of its own; a fused descriptor has a single row."""
    return bool(descriptors.seen.shape[1] == descriptors.vectors.shape[1])
