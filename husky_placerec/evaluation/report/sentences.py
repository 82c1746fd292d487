"""The results in sentences, for a reader who does not know the terms of the field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from husky_placerec.evaluation.baselines import CHANCE
from husky_placerec.recognition.calibration import OWN, PRIOR, SIMULATED
from husky_placerec.recognition.measurement import Thresholds

CALIBRATIONS = {
    SIMULATED: 'the default calibration that comes with the network, measured on simulated '
    'campuses',
    PRIOR: 'what such evidence was worth on other worlds, because the map is not calibrated',
}


def headline(numbers: Mapping[str, Any]) -> str:
    """Return the main result, in one sentence."""
    tolerance = _main_tolerance(numbers)
    share, known = numbers['recall'][tolerance]['1'], numbers['frames_on_map'][tolerance]
    if share is None:
        return 'No frame was taken at a place that the map knows.'
    pairs = len(numbers.get('pairs', ()))
    said, note = f'{100 * share:.0f} %', f', the mean over {pairs} pairs of drives'
    if pairs <= 1:
        said, note = f'{round(share * known)}', f' ({100 * share:.0f} %)'
    return (
        f'Of {known} frames at places that the map knows, {said} are recognised at the first '
        f'try, to within {tolerance} m{note}.'
    )


def sentences(
    numbers: Mapping[str, Any],
    thresholds: Thresholds | None,
    calibrated: Sequence[str] = (),
    kind: str = OWN,
) -> list[str]:
    """
    Return the other results, one sentence each, the most important first.

    :param numbers: the content of `summary.json`.
    :param thresholds: what decided; None where calibrations did.
    :param calibrated: names of the maps whose calibrations decided instead of the thresholds.
    :param kind: of the calibration that decided.
    """
    tolerance = _main_tolerance(numbers)
    return list(
        filter(
            None,
            [
                _sureness(numbers, tolerance),
                _comparison(numbers, tolerance),
                _direction(numbers, tolerance),
                _acceptance(numbers, thresholds, calibrated, in_words(kind)),
                _best_threshold(numbers),
                _unknown(numbers),
            ],
        )
    )


def in_words(kind: str) -> str:
    """Return which calibration decides, by its kind."""
    return CALIBRATIONS.get(kind, 'the calibration of the map')


def _main_tolerance(numbers: Mapping[str, Any]) -> str:
    """Return 10 m, within which an accepted pose counts as right; else the middle tolerance."""
    tolerances = list(numbers['recall'])
    return '10' if '10' in tolerances else tolerances[len(tolerances) // 2]


def _sureness(numbers: Mapping[str, Any], tolerance: str) -> str:
    bounds = numbers['intervals']['recall'][tolerance]['1']
    if not bounds:
        return ''
    return (
        f'With other frames of such drives that share may differ: with 95 % confidence it is '
        f'between {100 * bounds[0]:.0f} and {100 * bounds[1]:.0f} %.'
    )


def _comparison(numbers: Mapping[str, Any], tolerance: str) -> str:
    shares = {
        name: row['recall'][tolerance]['1']
        for name, row in numbers.get('baselines', {}).items()
        if row['recall'][tolerance]['1'] is not None
    }
    if not shares:
        return ''
    named = [
        f'{name} {100 * share:.0f} %'
        for name, share in sorted(shares.items(), key=lambda item: -item[1])
        if name != CHANCE
    ]
    if CHANCE in shares:
        named.append(f'picking a place at random {100 * shares[CHANCE]:.0f} %')
    return f'Of the same frames, other methods recognise: {"; ".join(named)}.'


def _direction(numbers: Mapping[str, Any], tolerance: str) -> str:
    share = numbers['recall_with_heading'][tolerance]['1']
    if share is None:
        return ''
    within = numbers['right_within']['heading_deg']
    return (
        f'For {100 * share:.0f} % of these frames the direction is right too, to within '
        f'{within:g} degrees.'
    )


def _acceptance(
    numbers: Mapping[str, Any],
    thresholds: Thresholds | None,
    calibrated: Sequence[str],
    calibration: str,
) -> str:
    accepted, precision = numbers['accepted'], numbers['precision']
    asked = _asked(thresholds, calibrated, calibration)
    if precision is not None:
        share = f'{100 * precision:.1f} % of these poses are right.'
        return f'{accepted} of {numbers["frames"]} frames were accepted ({asked}); {share}'
    if thresholds is None:
        return f'None was accepted: none was probable enough, by {calibration}.'
    if calibrated:
        return f'None was accepted ({asked}).'
    return (
        f'None was accepted: no best match has {asked}. The scale is of the descriptor alone; '
        'the curve below shows which similarity to ask for.'
    )


def _asked(thresholds: Thresholds | None, calibrated: Sequence[str], calibration: str) -> str:
    """Return what an accepted frame has to have."""
    probable = f'those that are probable enough, by {calibration}'
    if thresholds is None:
        return probable
    lead = (
        f', and a lead of {thresholds.min_margin:g} over any elsewhere'
        if thresholds.min_margin
        else ''
    )
    similar = f'a similarity of {thresholds.min_similarity:g} or more{lead}'
    if not calibrated:
        return similar
    return f'on {", ".join(calibrated)} {probable}; on the other maps {similar}'


def _best_threshold(numbers: Mapping[str, Any]) -> str:
    recall = numbers['precision_recall']['recall_at_full_precision']
    if recall is None:
        return ''
    return (
        f'If no mistake at all is allowed, {100 * recall:.0f} % of the known places can still be '
        'recognised, by a threshold of similarity that is chosen with knowledge of the truth.'
    )


def _unknown(numbers: Mapping[str, Any]) -> str:
    off_map = numbers['off_map']
    if not off_map['frames']:
        return (
            'Every frame was taken where the map has a place, so that the refusal of unknown '
            'places was not put to test.'
        )
    return (
        f'{off_map["frames"]} frames were taken where the map has no place within '
        f'{numbers["right_within"]["distance_m"]:g} m; {off_map["accepted"]} of these were '
        'accepted by mistake.'
    )
