"""The result in words, for a reader who knows none of the terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from husky_placerec.evaluation.baselines import CHANCE
from husky_placerec.recognition.measurement import Thresholds


def headline(numbers: Mapping[str, Any]) -> str:
    """Return the one sentence to remember."""
    tolerance = _main_tolerance(numbers)
    share = numbers['recall'][tolerance]['1']
    if share is None:
        return 'No frame was taken at a place that the map knows.'
    return (
        f'Of 100 frames at places that the map knows, {100 * share:.0f} are recognised at the '
        f'first try, to within {tolerance} m.'
    )


def sentences(numbers: Mapping[str, Any], thresholds: Thresholds | None) -> list[str]:
    """Return what else to know, a sentence each, the most important first."""
    tolerance = _main_tolerance(numbers)
    return list(
        filter(
            None,
            [
                _sureness(numbers, tolerance),
                _comparison(numbers, tolerance),
                _direction(numbers, tolerance),
                _acceptance(numbers, thresholds),
                _best_threshold(numbers),
                _unknown(numbers),
            ],
        )
    )


def _main_tolerance(numbers: Mapping[str, Any]) -> str:
    """Return 10 m, within which an accepted pose counts as right, or else the middle one."""
    tolerances = list(numbers['recall'])
    return '10' if '10' in tolerances else tolerances[len(tolerances) // 2]


def _sureness(numbers: Mapping[str, Any], tolerance: str) -> str:
    bounds = numbers['intervals']['recall'][tolerance]['1']
    if not bounds:
        return ''
    return (
        f'With other frames of such drives that figure may differ: with 95 % confidence it is '
        f'between {100 * bounds[0]:.0f} and {100 * bounds[1]:.0f}.'
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
        f'{name} {100 * share:.0f}'
        for name, share in sorted(shares.items(), key=lambda item: -item[1])
        if name != CHANCE
    ]
    if CHANCE in shares:
        named.append(f'picking a place at random {100 * shares[CHANCE]:.0f}')
    return f'Of the same 100 frames, other methods recognise: {"; ".join(named)}.'


def _direction(numbers: Mapping[str, Any], tolerance: str) -> str:
    share = numbers['recall_with_heading'][tolerance]['1']
    if share is None:
        return ''
    within = numbers['right_within']['heading_deg']
    return (
        f'For {100 * share:.0f} of these 100 the direction is right too, to within {within:g} '
        'degrees.'
    )


def _acceptance(numbers: Mapping[str, Any], thresholds: Thresholds | None) -> str:
    accepted, precision = numbers['accepted'], numbers['precision']
    if precision is None and thresholds is None:
        return 'None was accepted: none was probable enough, by the calibration of the map.'
    if precision is None:
        return (
            f'None was accepted: no best match has {_asked(thresholds)}. '
            "The scale is the descriptor's own; the curve below tells what to ask for."
        )
    return (
        f'{accepted} of {numbers["frames"]} were accepted ({_asked(thresholds)}); '
        f'{100 * precision:.1f} % of these are right.'
    )


def _asked(thresholds: Thresholds | None) -> str:
    if thresholds is None:
        return 'those that are probable enough, by the calibration of the map'
    lead = (
        f', and a lead of {thresholds.min_margin:g} over any elsewhere'
        if thresholds.min_margin
        else ''
    )
    return f'a similarity of {thresholds.min_similarity:g} or more{lead}'


def _best_threshold(numbers: Mapping[str, Any]) -> str:
    recall = numbers['precision_recall']['recall_at_full_precision']
    if recall is None:
        return ''
    return (
        f'If no mistake at all is allowed, {100 * recall:.0f} % of the known places can still be '
        'recognised, by a threshold chosen after the fact.'
    )


def _unknown(numbers: Mapping[str, Any]) -> str:
    off_map = numbers['off_map']
    if not off_map['frames']:
        return 'Every frame was taken where the map has a place, so refusal was not put to test.'
    return (
        f'{off_map["frames"]} frames were taken where the map has no place within '
        f'{numbers["right_within"]["distance_m"]:g} m; {off_map["accepted"]} of these were '
        'accepted all the same.'
    )
