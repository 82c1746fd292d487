"""The evidence of one frame for each place, as columns of a matrix."""

from __future__ import annotations

from husky_placerec.placemap.ranking import Rival
from husky_placerec.recognition.cohort import Cohort, MOST
from husky_placerec.recognition.local_comparison import LocalComparison
from husky_placerec.recognition.metric_comparison import METRIC_EVIDENCE
from husky_placerec.recognition.route import Route
from husky_placerec.recognition.text_comparison import TEXT_EVIDENCE
from husky_placerec.types import Candidate, FloatArray, Floats, Indices, Mask
import numpy as np

# A place elsewhere that looks alike often convinces one camera and not the other. So the leads of
# single cameras stand beside the lead of all.
EVIDENCE = (
    'similarity',  # mean cosine over the cameras, normalised by the cohort
    'lead',  # similarity minus that of the best candidate that contradicts the place
    'behind',  # min(lead, 0), for places that are not the best
    'weakest_lead',  # the least lead of any camera over all that contradicts for it alone
    'strongest_lead',  # the greatest lead of any camera
    'agreement',  # share of the candidates that lie at the place too
    'disagreement',  # difference between the highest and the lowest cosine of the cameras
    'usual_share',  # similarity over that of the place with its neighbours in the map
    'cosine',  # similarity as it is: its scale is the world's own
)
# Evidence whose scale does not carry over: a prior gives it no weight, a world's calibration may.
OWN_SCALE = ('cosine',)
# Local agreement carries over from one world to the next as a lead only: raw it tells more of the
# texture of a world than of a place. NaN for a place that was not compared locally.
LOCAL_EVIDENCE = (
    'local_lead',  # mutual agreement minus that of the best compared place that contradicts
    'shift_lead',  # the same of the agreement by a common shift
)
ALL_EVIDENCE = (*EVIDENCE, *LOCAL_EVIDENCE)
# Evidence that only some frames have. It is NaN where a frame or a place has none, and then adds
# nothing.
SUPPLEMENTS = (TEXT_EVIDENCE, METRIC_EVIDENCE)
COLUMNS = (*ALL_EVIDENCE, *(name for names in SUPPLEMENTS for name in names))


def evidence(
    cameras: tuple[str, ...],
    route: Route,
    cosines: FloatArray,
    cohort: Cohort,
    candidates: tuple[Candidate, ...],
    rival: Rival | None,
    apart_m: float,
    places: Indices,
    reverse: Mask,
) -> Floats:
    """
    Return [K, len(EVIDENCE)] of a query for K places.

    Similarities and their differences are in deviations of the cohort: those of the same query to
    places all over the map. So they mean the same in any light and on any map.

    :param cosines: [K, C] of the cameras of the query with these places; NaN where there is none.
    :param cohort: the similarities of the query to places all over the map.
    :param rival: the best place that contradicts the best candidate.
    :param apart_m: distance from which a place contradicts another.
    :param reverse: [K] whether each place is passed in reverse.
    """
    cosines = cosines.astype(np.float64)
    shared = np.isfinite(cosines)
    count = shared.sum(axis=1)
    mean = np.where(shared, cosines, 0.0).sum(axis=1) / np.maximum(count, 1)
    similarity = np.where(count, mean, -1.0)
    highest = np.where(shared, cosines, -np.inf).max(axis=1, initial=-np.inf)
    lowest = np.where(shared, cosines, np.inf).min(axis=1, initial=np.inf)
    apart = np.where(count > 1, highest - lowest, 0.0)
    agrees = _agrees(route, candidates, apart_m, places, reverse)
    rivals = _rivals(cameras, candidates, rival, agrees)
    # Without a rival a lead counts from the mean of the cohort, the similarity of a stranger.
    rivals = np.where(np.isfinite(rivals), rivals, cohort.mean)
    leads = np.column_stack([similarity, cosines]) - rivals  # [K, 1 + C]
    # One call for all differences of similarities costs as much as one for each of them.
    differences = np.column_stack([similarity - cohort.mean, apart, leads])
    above, disagreement, lead, *_ = (deviations := cohort.deviations(differences)).T
    by_camera = deviations[:, 3:]
    weakest = np.where(shared, by_camera, MOST).min(axis=1)
    strongest = np.where(shared, by_camera, -MOST).max(axis=1)
    return np.column_stack(
        [
            above,
            lead,
            np.minimum(lead, 0.0),
            np.where(count, weakest, -MOST),
            strongest,
            agrees.mean(axis=1) if agrees.size else np.zeros(len(places)),
            disagreement,
            cohort.share(similarity, route.neighbour_similarity(places)),
            similarity,
        ]
    )


def local_evidence(
    local: LocalComparison, route: Route, apart_m: float, places: Indices, reverse: Mask
) -> Floats:
    """
    Return [K, len(LOCAL_EVIDENCE)] for K places; NaN where a place was not compared.

    :param apart_m: distance from which a place contradicts another.
    """
    own = local.of(places, reverse)[:, :2]
    others, ways, agreements = local.compared()
    if not len(others):
        return np.full_like(own, np.nan)
    agrees = _at(route, others, ways, apart_m, places, reverse)
    against = np.where(agrees[..., None], -np.inf, np.nan_to_num(agreements[:, :2], nan=-np.inf))
    best = against.max(axis=1, initial=-np.inf)
    return np.where(np.isfinite(best), own - best, np.nan)


def _agrees(
    route: Route,
    candidates: tuple[Candidate, ...],
    apart_m: float,
    places: Indices,
    reverse: Mask,
) -> Mask:
    """Return [K, L] which of the L candidates lie at each place, faced the same way."""
    others = np.array([c.place for c in candidates], np.int64)
    ways = np.array([bool(c.reversed) for c in candidates], np.bool_)
    return _at(route, others, ways, apart_m, places, reverse)


def _at(
    route: Route,
    others: Indices,
    ways: Mask,
    apart_m: float,
    places: Indices,
    reverse: Mask,
) -> Mask:
    """Return [K, L] which of L other states lie at each place, faced the same way."""
    return np.asarray(route.within(apart_m, places, others) & (reverse[:, None] == ways))


def _rivals(
    cameras: tuple[str, ...], candidates: tuple[Candidate, ...], rival: Rival | None, agrees: Mask
) -> Floats:
    """
    Return [K, 1 + C] the best similarity, and the best cosine of each camera, against each place.

    Where nothing contradicts a place the value is minus infinity.
    """
    rows = [(c.similarity, *(c.cosines.get(n, -np.inf) for n in cameras)) for c in candidates]
    scores = np.array(rows, np.float64).reshape(-1, 1 + len(cameras))  # [L, 1 + C]
    best = np.where(agrees[..., None], -np.inf, scores).max(axis=1, initial=-np.inf)
    if rival is not None and len(scores):  # it contradicts the places of the best candidate
        against_best = [rival.similarity, *rival.cosines]
        best = np.where(agrees[:, :1], np.maximum(best, against_best), best)
    return best
