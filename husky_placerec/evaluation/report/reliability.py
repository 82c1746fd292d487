"""The reliability diagram of a calibration: stated probabilities and how often they are true."""

from __future__ import annotations

from collections.abc import Mapping
import io
from pathlib import Path
from typing import Any

from husky_placerec.files import write_atomic


def draw_reliability(figures: Mapping[str, Any], path: Path) -> None:
    """
    Draw the diagram as a PNG.

    :param figures: `reliability` and `expected_calibration_error` of a calibration.
    """
    from matplotlib.figure import Figure

    rows = figures['reliability']
    figure = Figure(figsize=(4.5, 4.5), layout='constrained')
    axes = figure.add_subplot(
        xlabel='stated probability',
        ylabel='share of right poses',
        xlim=(0, 1),
        ylim=(0, 1),
        aspect='equal',
    )
    axes.plot([0, 1], [0, 1], color='grey', linewidth=1, label='perfect')
    axes.scatter(
        [row['said'] for row in rows],
        [row['came_true'] for row in rows],
        [20 + 400 * row['share'] for row in rows],
        alpha=0.7,
        label='frames, by their share',
    )
    error = figures['expected_calibration_error']
    axes.set_title(f'Reliability: expected calibration error {error:.3f}', fontsize=10)
    axes.legend(loc='upper left')
    data = io.BytesIO()
    figure.savefig(data, format='png', dpi=120)
    write_atomic(path, data.getvalue())
