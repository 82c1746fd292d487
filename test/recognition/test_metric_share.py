"""Whether recognised frames that landmarks hardly solve make the cameras doubtful."""

from __future__ import annotations

from dataclasses import replace

from husky_placerec.recognition.metric_share import MetricShare
from husky_placerec.types import MetricPose
import pytest
from support.sessions import recognition


def frame(accepted=True, solved=False):
    metric = MetricPose(solved, None if solved else 'few_inliers', None, None, {}, 40, 3, False)
    return replace(recognition(accepted=accepted), metric=metric)


def counted(*frames):
    share = MetricShare()
    for each in frames:
        share.count(each)
    return share


@pytest.mark.parametrize(
    ('unsolved', 'solved', 'doubt'), [(50, 0, True), (49, 0, False), (46, 4, True), (45, 5, False)]
)
def test_hardly_any_solved_frame_of_many_is_doubtful(unsolved, solved, doubt):
    share = counted(*[frame()] * unsolved, *[frame(solved=True)] * solved)
    assert bool(share.doubt) == doubt
    if doubt:
        assert share.doubt.startswith(f'{solved} of {unsolved + solved} recognised frames are sol')
        assert "mounting of this robot's cameras" in share.doubt


def test_refused_frames_and_maps_without_landmarks_count_nothing():
    share = counted(*[frame(accepted=False)] * 60, *[recognition()] * 60)
    assert (share.sought, share.doubt) == (0, '')
