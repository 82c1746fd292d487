"""Runs of the page that are made without any drive."""

from __future__ import annotations

from husky_placerec.types import Candidate, Recognition
from husky_placerec.viewer.places import ShownPlaces
from husky_placerec.viewer.run import Run
import numpy as np
from support.builders import planar

SPACING_M = 5.0


def shown_places(count=10, **changes):
    """Make places eastwards, SPACING_M apart."""
    poses = np.zeros((count, 7))
    poses[:, 0], poses[:, 6] = SPACING_M * np.arange(count), 1
    values = {
        'name': 'made.map',
        'poses': poses,
        'stamps_ns': np.arange(count),
        'tracks': ('made',) * count,
        'sources': {},
        'cameras': ('front', 'back'),
    }
    return ShownPlaces(**{**values, **changes})


def decision(stamp_ns, place, similarity=0.9, accepted=True, probability=None, **changes):
    """Make a decision for a place; None: no candidate."""
    found = ()
    if place is not None:
        found = (Candidate(place, similarity, False, planar(SPACING_M * place)),)
    reason = None if accepted else 'waiting_for_sequence'
    values = {'probability': probability, **changes}
    return Recognition(stamp_ns, {'front': stamp_ns}, accepted, reason, found, **values)


def shown_run(decisions, truths_m, places=None, **changes):
    """Make a run of decisions; `truths_m` are the true x, None where the truth is not known."""
    truths = [None if x is None else planar(x) for x in truths_m]
    return Run(
        'driven', 'made.map', list(zip(decisions, truths)), places or shown_places(), **changes
    )
