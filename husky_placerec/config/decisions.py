"""Parameters of the decision: which place is believed, and when."""

from __future__ import annotations

from dataclasses import dataclass

from husky_placerec.config.declaration import parameter


@dataclass(frozen=True)
class DecisionConfig:
    """From candidates to a pose, or none: all of it may change while a node runs."""

    candidates: int = parameter(
        10, 'Places that a search returns.', least=1, most=1000, dynamic=True
    )
    min_similarity: float = parameter(
        0.8,
        'Least similarity at which a place counts as recognised.',
        least=-1.0,
        most=1.0,
        dynamic=True,
    )
    min_margin: float = parameter(
        0.0,
        'By how much the best place has to be more similar than any elsewhere or faced the other '
        'way.',
        least=0.0,
        most=2.0,
        dynamic=True,
    )
    elsewhere: float = parameter(
        20.0,
        'Distance from which a place counts as elsewhere.',
        unit='m',
        least=0.0,
        most=1000.0,
        dynamic=True,
    )
    search_reversed: bool = parameter(
        True, 'Also recognise places that are passed in the other direction.', dynamic=True
    )
    check_images: bool = parameter(
        True,
        'Do without a camera whose image is black, saturated, covered or blurred.',
        dynamic=True,
    )
    min_probability: float = parameter(
        0.985,
        'Probability from which a single frame of a calibrated map is accepted.',
        least=0.5,
        most=1.0,
        dynamic=True,
    )
    contradiction: float = parameter(
        3.0,
        'A frame that speaks this much against the pose of the sequence gives none, as the '
        'natural logarithm of a likelihood ratio; without odometry it has to speak for it.',
        least=0.0,
        most=100.0,
        dynamic=True,
    )
    sequence: bool = parameter(
        True,
        'Decide by the frames until now together, where the map is calibrated.',
        dynamic=True,
    )
    proof: float = parameter(
        1.0,
        'How much the frames that led to a pose have to speak for it together before the sequence '
        'is LOCALIZED, times what the calibration found that it takes.',
        least=0.0,
        most=100.0,
        dynamic=True,
    )
    localized_from: float = parameter(
        0.9,
        'Probability from which the sequence is LOCALIZED.',
        least=0.5,
        most=1.0,
        dynamic=True,
    )
    lost_below: float = parameter(
        0.7,
        'Probability below which it no longer is.',
        least=0.0,
        most=1.0,
        dynamic=True,
    )
    evidence_every: float = parameter(
        3.0,
        'Distance whose frames count as one; of a robot that stands none counts.',
        unit='m',
        least=0.1,
        most=100.0,
        dynamic=True,
    )
    leave_after: float = parameter(
        300.0,
        'Distance after which the robot has usually left the map, or come back to it.',
        unit='m',
        least=1.0,
        most=1e6,
        dynamic=True,
    )
    jump_after: float = parameter(
        3000.0,
        'Distance after which it has usually been carried elsewhere.',
        unit='m',
        least=1.0,
        most=1e6,
        dynamic=True,
    )
    usual_speed: float = parameter(
        1.0,
        'Speed where there is no odometry.',
        unit='m/s',
        least=0.01,
        most=50.0,
        dynamic=True,
    )
