"""How far a student and its teacher agree on the nearest neighbours of images without poses."""

from __future__ import annotations

from collections.abc import Sequence

from husky_placerec.descriptor.fusion import normalize
from husky_placerec.types import FloatArray, Indices
import numpy as np

NEIGHBOURS = 10


def agreement(
    teacher: Sequence[FloatArray], student: Sequence[FloatArray], measured: Sequence[Indices]
) -> float:
    """
    Return the mean share of the teacher's nearest neighbours that the student has, too.

    The neighbours of an image are the NEIGHBOURS most similar other images of all sessions. By
    chance the share is NEIGHBOURS over the number of images.

    :param teacher: centred unit vectors of each session, [N, D].
    :param student: its own, [N, d]; they are centred here.
    :param measured: the images of each session whose neighbours count.
    """
    starts = np.cumsum([0, *(len(each) for each in teacher[:-1])])
    rows = np.concatenate([start + each for start, each in zip(starts, measured)])
    centred = [normalize(each - each.mean(axis=0)) for each in student]
    theirs = _nearest(np.concatenate(teacher), rows)
    ours = _nearest(np.concatenate(centred), rows)
    shared = [len(np.intersect1d(a, b)) for a, b in zip(theirs, ours)]
    return float(np.mean(shared)) / theirs.shape[1]


def _nearest(vectors: FloatArray, rows: Indices) -> Indices:
    similarities = vectors[rows] @ vectors.T
    similarities[np.arange(len(rows)), rows] = -np.inf
    count = min(NEIGHBOURS, len(vectors) - 1)
    return np.argpartition(-similarities, count - 1, axis=1)[:, :count]
