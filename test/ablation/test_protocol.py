"""How cells are compared: recall by protocol, chance, and a whitening fitted to each map."""

from __future__ import annotations

from pathlib import Path

from husky_placerec.ablation.protocol import (
    Campus,
    chance_recalls,
    fuse_by_concatenation,
    measure_recalls,
)
from husky_placerec.evaluation.tags import tags_of
from husky_placerec.evaluation.tracks import Track
from husky_placerec.training.drives import Drive
import numpy as np
import pytest
from support.builders import planar

NEEDS = 'torch', 'timm', 'pytorch_metric_learning'


def drive(name, yaw_deg=0.0, count=8):
    """Make a drive along x with a frame every 20 m."""
    poses = np.array([planar(20.0 * n, 0.0, yaw_deg).as_array() for n in range(count)])
    rows = np.arange(count)
    stamps = np.stack([rows, rows], axis=1)
    track = Track(name, Path(name), 'map', rows, rows, stamps, poses, tags_of(name))
    return Drive(track, np.ones((count, 2, 4, 4, 3), np.uint8), np.ones((count, 2), bool))


def describe_perfectly(drive):
    """Describe each view of each place by a vector of its own; 'back' drives the other way."""
    places = len(drive.poses)
    views = np.eye(2 * places, dtype=np.float32).reshape(2, places, -1).swapaxes(0, 1)
    return views[:, ::-1] if drive.track.name == 'back' else views


def test_reversed_drives_are_recognised_by_swapping_opposite_cameras():
    campus = Campus.of([drive('map'), drive('there', 20.0), drive('back', 180.0)])
    assert [d.track.name for d in campus.queries['forwards']] == ['there']
    assert [d.track.name for d in campus.queries['reversed']] == ['back']
    concat = fuse_by_concatenation
    both = measure_recalls([campus], describe_perfectly, concat, (1, 0), whitened=False)
    assert both == {name: [1.0] for name in both}
    unswapped = measure_recalls([campus], describe_perfectly, concat, None, whitened=False)
    assert unswapped['forwards 5'] == [1.0]
    assert unswapped['reversed 5'][0] < 0.5
    (lone,) = campus.queries['one camera']
    assert lone.present.tolist() == [[True, False]] * 8


def test_a_constant_descriptor_has_the_recall_of_chance():
    campuses = [Campus.of([drive('map'), drive('there')])] * 2

    def constant(drive):
        return np.ones((len(drive.poses), 2, 3), np.float32)

    found = measure_recalls(campuses, constant, fuse_by_concatenation, (1, 0), whitened=False)
    assert found['forwards 5'] == [1 / 8, 1 / 8]
    assert chance_recalls(campuses)['forwards 5'] == pytest.approx([1 / 8, 1 / 8])
    assert found['reversed 5'] == []


def test_whitening_is_fitted_to_the_map_and_removes_what_all_places_share():
    campus = Campus.of([drive('map', count=40), drive('there', count=40)])
    rng = np.random.default_rng(0)
    own, noise = rng.normal(size=(40, 2, 8)), 4 * rng.normal(size=(2, 40, 1, 1))

    def hazed(drive):
        shared = np.ones(8) * noise[int(drive.track.name == 'there')]
        return fuse_by_concatenation((own + shared).astype(np.float32), np.ones((40, 2), bool))

    raw, whitened = (
        measure_recalls([campus], hazed, fuse_by_concatenation, (1, 0), way)['forwards 5']
        for way in (False, True)
    )
    assert whitened[0] > raw[0] + 0.1
