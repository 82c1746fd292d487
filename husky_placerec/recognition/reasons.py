"""Why a pose is refused: the only words for it, in messages, logs and diagnostics."""

from __future__ import annotations

from enum import Enum


class Reason(str, Enum):
    """The values are an interface that others' scripts read."""

    NO_CANDIDATE = 'no_candidate'  # the map has no place that shares a camera with the frame
    LOW_SIMILARITY = 'low_similarity'  # less like any place than places mostly are
    AMBIGUOUS = 'ambiguous'  # places elsewhere look nearly the same
    CAMERAS_DISAGREE = 'cameras_disagree'  # one camera sees the place, the other does not
    IMAGE_UNUSABLE = 'image_unusable'  # no camera gave an image in which anything can be seen
    MOTION_DISAGREES = 'motion_disagrees'  # the robot cannot have come there from where it was
    UNKNOWN_PLACE = 'unknown_place'  # more likely off the map than on it
    WAITING_FOR_SEQUENCE = 'waiting_for_sequence'  # may be right; the next metres will tell
