"""The charts of the report: errors, thresholds, reliability, pairs and latency."""

from __future__ import annotations

from collections.abc import Sequence
import itertools

from husky_placerec.evaluation.metrics import Judged, precision_recall
from husky_placerec.evaluation.report.style import (
    ACCENT,
    BAD,
    figure,
    GOOD,
    NEUTRAL,
    plain,
    png,
)
from husky_placerec.recognition.measurement import Thresholds
from matplotlib.axes import Axes
import numpy as np
from sklearn.calibration import calibration_curve

EDGES_M = (0, 2.5, 5, 10, 25, 50, 100, 250)
SIZE = 6.2, 3.7  # inches


def draw_distances(judged: Judged) -> bytes:
    """Draw the distances of the best matches from the truth, for the frames on the map."""
    drawn = figure(*SIZE)
    axes = drawn.add_subplot()
    distances = judged.distance_m[judged.found & judged.on_map]
    counts = np.histogram(distances, [*EDGES_M, np.inf])[0]
    share = 100 * counts / max(len(distances), 1)
    names = [f'{a:g}-{b:g}' for a, b in itertools.pairwise(EDGES_M)] + [f'over {EDGES_M[-1]:g}']
    ends = [*EDGES_M[1:], np.inf]
    colours = [GOOD if end <= 5 else ACCENT if end <= 25 else BAD for end in ends]
    bars = axes.bar(names, share, color=colours)
    axes.bar_label(bars, [f'{value:.0f} %' for value in share], fontsize=9)
    plain(
        axes,
        'Distance of the best match from where the robot was',
        'distance (m)',
        'share of frames (%)',
    )
    return png(drawn)


def draw_precision_recall(judged: Judged, thresholds: Thresholds | None) -> bytes:
    """
    Draw precision over recall for all thresholds of similarity, and the point that was used.

    :param thresholds: what decided; None where a calibration did.
    """
    drawn = figure(*SIZE)
    axes = drawn.add_subplot()
    curve = precision_recall(judged)
    axes.plot(100 * curve.recall, 100 * curve.precision, '-', color=ACCENT, lw=2)
    accepted, known = judged.accepted, judged.on_map.sum()
    if accepted.any() and known:
        right = judged.pose_right & accepted
        label = 'as accepted'
        if thresholds is not None:
            label += f': from {thresholds.min_similarity:g}'
            label += f', leading by {thresholds.min_margin:g}' if thresholds.min_margin > 0 else ''
        _point(axes, right.sum() / known, right.sum() / accepted.sum(), label, BAD)
    if curve.full_precision_threshold is not None and curve.full_precision_recall:
        label = f'no mistake from {curve.full_precision_threshold:.2f}'
        _point(axes, curve.full_precision_recall, 1, label, GOOD)
    axes.set(xlim=(-2, 102), ylim=(-2, 106))
    title = 'Precision and recall by the threshold of similarity'
    plain(axes, title, 'recall: known places recognised (%)', 'precision: accepted and right (%)')
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc='lower left', frameon=False, title='similarity')
    return png(drawn)


def _point(axes: Axes, recall: float, precision: float, label: str, colour: str) -> None:
    axes.plot(100 * recall, 100 * precision, 'o', color=colour, ms=8, label=label)


def draw_similarities(judged: Judged, threshold: float | None) -> bytes:
    """Draw the similarities of the right and of the wrong best matches."""
    drawn = figure(*SIZE)
    axes = drawn.add_subplot()
    similarity, right = judged.similarity[judged.found], judged.right[judged.found]
    if len(similarity):
        low, high = similarity.min(), similarity.max()
        bins = np.linspace(low, max(high, low + 1e-6), 31).tolist()
        axes.hist(similarity[right], bins, color=GOOD, alpha=0.75, label='right')
        axes.hist(similarity[~right], bins, color=BAD, alpha=0.55, label='wrong')
        if threshold is not None and bins[0] <= threshold <= bins[-1]:
            axes.axvline(threshold, color='black', ls=':', label=f'accepted from {threshold:g}')
        axes.legend(frameon=False)
    plain(axes, 'Similarity of the best match', 'similarity of the best match', 'frames')
    return png(drawn)


def draw_reliability(judged: Judged) -> bytes | None:
    """Draw the share of right poses over the stated probability; None where none was stated."""
    stated = np.isfinite(judged.probability)
    if not stated.any():
        return None
    drawn = figure(*SIZE)
    axes = drawn.add_subplot()
    right, probability = judged.pose_right[stated], judged.probability[stated].clip(0, 1)
    share, mean = calibration_curve(right, probability, n_bins=10, strategy='quantile')
    axes.plot([0, 100], [0, 100], ':', color=NEUTRAL, label='perfectly calibrated')
    axes.plot(100 * mean, 100 * share, 'o-', color=ACCENT, label='measured')
    axes.legend(frameon=False)
    plain(axes, 'Are the stated probabilities true?', 'stated probability (%)', 'right poses (%)')
    return png(drawn)


def draw_latency(latencies_ms: np.ndarray) -> bytes:
    """Draw the time for a frame."""
    drawn = figure(*SIZE)
    axes = drawn.add_subplot()
    p50, p95, most = np.percentile(latencies_ms, [50, 95, 99.5])
    axes.hist(latencies_ms[latencies_ms <= most], 40, color=NEUTRAL)
    for value, name, style in ((p50, 'median', '-'), (p95, '95 % take less', '--')):
        axes.axvline(value, color=ACCENT, ls=style, label=f'{name}: {value:.1f} ms')
    axes.legend(frameon=False)
    plain(axes, 'Time for a frame', 'milliseconds', 'frames')
    return png(drawn)


def draw_matrix(names: Sequence[str], recalls: np.ndarray, tolerance: str) -> bytes:
    """
    Draw recall@1 of each pair.

    :param recalls: [T, T] by database and queries, NaN where there is none.
    """
    side = 2.6 + 0.62 * len(names)
    drawn = figure(side + 1.6, side)
    axes = drawn.add_subplot()
    axes.imshow(100 * recalls, cmap='YlGn', vmin=0, vmax=100)
    for (row, column), value in np.ndenumerate(recalls):
        if np.isfinite(value):
            colour = 'white' if value > 0.7 else 'black'
            axes.text(column, row, f'{100 * value:.0f}', ha='center', va='center', color=colour)
    ticks = range(len(names))
    axes.set_xticks(ticks, names, rotation=40, ha='right')
    axes.set_yticks(ticks, names)
    axes.set_xlabel('queries')
    axes.set_ylabel('map')
    axes.set_title(f'Recall@1 within {tolerance} m, in %', loc='left', fontsize=11)
    return png(drawn)
