"""
The fit of a logistic model whose weights have known signs, shrunk to a prior.

`minimise  sum_i u_i log(1 + exp(-y_i z_i)) + sum_j s_j (w_j - p_j)^2 / 2`, with
`z = X w + b + o`, the labels y of -1 and 1, the weights u of the samples, the offsets o
(log odds that are known already), and the prior p.

More evidence for a place never speaks against it. Without the signs, two pieces of evidence that
go together may get large weights of opposite signs, which hold for the calibration set alone.

Source of the prior: Gelman et al., A weakly informative default prior distribution for logistic
and other regression models, Annals of Applied Statistics 2008.
"""

from __future__ import annotations

from husky_placerec.types import Floats, Mask
import numpy as np
from scipy.optimize import minimize
from scipy.special import expit


def fit_weights(
    seen: Floats,
    true: Mask,
    weight: Floats,
    signs: Floats,
    prior: Floats,
    strength: Floats,
    offset: Floats | None = None,
) -> Floats:
    """
    Return [F + 1] the weights of the F columns, and the bias.

    :param seen: [N, F] bounded evidence, and `true` [N] the labels.
    :param weight: [N] of the samples.
    :param signs: [F] 1 where a weight may not be below 0, -1 where it may not be above 0, 0 for a
        column that gets no weight.
    :param prior: [F + 1], and `strength` [F + 1] how much each of them counts.
    :param offset: [N] log odds by what is known already; None: none.
    """
    known = np.zeros(len(seen)) if offset is None else offset
    columns = np.column_stack([seen, np.ones(len(seen))])
    labels = np.where(true, 1.0, -1.0)

    def loss(values: Floats) -> tuple[float, Floats]:
        margin = labels * (known + columns @ values)
        away = values - prior
        total = weight @ np.logaddexp(0.0, -margin) + 0.5 * strength @ np.square(away)
        slope = -(weight * labels * expit(-margin)) @ columns + strength * away
        return float(total), slope

    bounds = [_bounds(sign) for sign in signs.tolist()] + [(None, None)]
    found = minimize(loss, np.clip(prior, *_limits(bounds)), jac=True, bounds=bounds)
    return np.asarray(found.x)


def _bounds(sign: float) -> tuple[float | None, float | None]:
    return (None if sign < 0 else 0.0, None if sign > 0 else 0.0)


def _limits(bounds: list[tuple[float | None, float | None]]) -> tuple[Floats, Floats]:
    low = [-np.inf if each is None else each for each, _ in bounds]
    high = [np.inf if each is None else each for _, each in bounds]
    return np.array(low), np.array(high)
