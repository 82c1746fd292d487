"""A logistic model of bounded evidence, as it is stored and evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from husky_placerec.types import Floats
import numpy as np


def bounded(evidence: Floats, mean: Floats, scale: Floats) -> Floats:
    """Return `tanh((evidence - mean) / scale)` [..., F], between -1 and 1."""
    return np.asarray(np.tanh((evidence - mean) / scale))


@dataclass(frozen=True, eq=False)
class Logistic:
    """
    The probability of a statement given F pieces of evidence.

    `log_odds = bias + sum(weights * tanh((evidence - mean) / scale))`. Each piece is bounded, so
    that one striking piece does not outweigh all others.

    :param names: [F] of the evidence.
    :param mean: [F] centre of the bound, and `scale` [F] its width.
    :param weights: [F] of the bounded evidence.
    :param prior: log odds of the statement in the calibration set. `log_odds - prior` is the log
        likelihood ratio of the evidence.
    """

    names: tuple[str, ...]
    mean: Floats
    scale: Floats
    weights: Floats
    bias: float
    prior: float

    def log_odds(self, evidence: Floats) -> Floats:
        """Return [...] the log odds of the statement for evidence [..., F]."""
        return np.asarray(bounded(evidence, self.mean, self.scale) @ self.weights + self.bias)

    def probability(self, evidence: Floats) -> Floats:
        """Return [...] the probability of the statement for evidence [..., F]."""
        return np.asarray(1 / (1 + np.exp(-self.log_odds(evidence))))

    def log_ratio(self, evidence: Floats) -> Floats:
        """Return [...] the log likelihood ratio of evidence [..., F]: true against false."""
        return self.log_odds(evidence) - self.prior

    def against(self, evidence: Floats) -> dict[str, float]:
        """Return by how much each piece of evidence [F] lowers the log odds, by its name."""
        worse = -bounded(evidence, self.mean, self.scale) * self.weights
        return dict(zip(self.names, worse.tolist()))

    def as_json(self) -> dict[str, Any]:
        """Return the model as JSON values."""
        return {
            name: value.tolist() if isinstance(value, np.ndarray) else value
            for name, value in {**vars(self), 'names': list(self.names)}.items()
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Logistic:
        """
        Read what `as_json` returned.

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
