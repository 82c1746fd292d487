"""A logistic model as it is stored and asked: numbers, and nothing that was needed to fit it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def bounded(evidence: Floats, mean: Floats, scale: Floats) -> Floats:
    """Return [..., F] evidence between -1 and 1, nearly linear within `scale` of `mean`."""
    return np.asarray(np.tanh((evidence - mean) / scale))


@dataclass(frozen=True, eq=False)
class Logistic:
    """
    The probability of a statement given F pieces of evidence.

    Each piece is bounded around what it usually is where the statement is true: beyond that it
    says no more, so that being strikingly alike in one respect does not make up for all others.

    :param names: [F] of the evidence.
    :param mean: [F] what the evidence is bounded around, and `scale` [F] its deviation.
    :param weights: [F] of the bounded evidence.
    :param prior: log odds of the statement among the samples that it was fitted to: what the
        model's log odds are beyond it is the evidence's alone.
    """

    names: tuple[str, ...]
    mean: Floats
    scale: Floats
    weights: Floats
    bias: float
    prior: float

    def log_odds(self, evidence: Floats) -> Floats:
        """Return [...] of [..., F]."""
        return np.asarray(bounded(evidence, self.mean, self.scale) @ self.weights + self.bias)

    def probability(self, evidence: Floats) -> Floats:
        return np.asarray(1 / (1 + np.exp(-self.log_odds(evidence))))

    def log_ratio(self, evidence: Floats) -> Floats:
        """Return [...] log of how much likelier the evidence is if the statement is true."""
        return self.log_odds(evidence) - self.prior

    def against(self, evidence: Floats) -> dict[str, float]:
        """Return by how much each piece of [F] lowers the log odds from where it usually is."""
        worse = -bounded(evidence, self.mean, self.scale) * self.weights
        return dict(zip(self.names, worse.tolist()))

    def as_json(self) -> dict[str, Any]:
        return {
            name: value.tolist() if isinstance(value, np.ndarray) else value
            for name, value in {**vars(self), 'names': list(self.names)}.items()
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Logistic:
        """
        Read what `as_json` made.

        :raises ValueError: for numbers that are not finite, or not one for each name.
        """
        names = tuple(values['names'])
        columns = {
            name: np.array(values[name], np.float64) for name in ('mean', 'scale', 'weights')
        }
        bias, prior = float(values['bias']), float(values['prior'])
        for name, column in columns.items():
            if column.shape != (len(names),) or not np.isfinite(column).all():
                raise ValueError(f'{name}: expected {len(names)} finite numbers')
        if not np.isfinite([bias, prior]).all() or (columns['scale'] <= 0).any():
            raise ValueError('bias, prior and scale: expected finite numbers, scales above 0')
        return cls(names, bias=bias, prior=prior, **columns)
