"""What decides on a map that is not calibrated: the prior alone, by stricter rules."""

from __future__ import annotations

from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.recognition.calibration import Calibration, PRIOR, WEAK
from husky_placerec.recognition.covariance import CovarianceTable
from husky_placerec.recognition.prior import Prior, shipped_prior
import numpy as np

# Factor of the proof that the prior asks, as the map's own null is not measured; and another one
# without odometry, where the filter may follow any path.
UNMEASURED, UNMEASURED_MOTION = 1.5, 2.0
WEAKNESS = (
    'the map is not calibrated, and other worlds alone tell what its evidence is worth; '
    'run placerec calibrate'
)


def uncalibrated(place_map: PlaceMap, prior: Prior | None = None) -> Calibration:
    """
    Return the prior as the calibration of a map.

    It is weak: no single frame is accepted by itself, and nothing is known of the errors of poses.

    :param prior: None: the shipped one.
    :raises InputError: for a shipped prior that is damaged.
    """
    prior = prior or shipped_prior()
    proof = UNMEASURED * prior.proof
    unknown = CovarianceTable.fit(np.zeros(0), np.zeros((0, 6)))
    return Calibration(
        PRIOR,
        place_map.spec.as_json(),
        place_map.whitening is not None,
        place_map.centring is not None,
        True,
        prior.worlds,
        '',
        prior.gate,
        prior.partial,
        prior.place,
        prior.found,
        proof,
        UNMEASURED_MOTION * proof,
        WEAK,
        WEAKNESS,
        *(unknown,) * 5,
        {},
    )
