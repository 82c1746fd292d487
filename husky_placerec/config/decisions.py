"""Parameters of the decision: which pose is accepted, and when."""

from __future__ import annotations

from dataclasses import dataclass

from husky_placerec.config.declaration import parameter


@dataclass(frozen=True)
class DecisionConfig:
    """Parameters from the candidates to a pose; all may change while a node runs."""

    candidates: int = parameter(
        10, 'Number of places that a search returns.', least=1, most=1000, dynamic=True
    )
    min_similarity: float = parameter(
        0.8,
        'Least similarity at which the best candidate is accepted on an uncalibrated map, '
        'where thresholds decide.',
        least=-1.0,
        most=1.0,
        dynamic=True,
    )
    min_margin: float = parameter(
        0.0,
        'Least lead of the best candidate over any place that is elsewhere or faced the other '
        'way, on an uncalibrated map where thresholds decide.',
        least=0.0,
        most=2.0,
        dynamic=True,
    )
    uncalibrated: str = parameter(
        'prior',
        'What decides on a map that is not calibrated: prior (what evidence was worth on other '
        'worlds, by stricter rules: several frames have to agree) or thresholds (min_similarity '
        'and min_margin, frame by frame).',
        choices=('prior', 'thresholds'),
    )
    elsewhere: float = parameter(
        20.0,
        'Distance beyond which a place counts as elsewhere.',
        unit='m',
        least=0.0,
        most=1000.0,
        dynamic=True,
    )
    search_reversed: bool = parameter(
        True, 'Also recognise places that are passed in the opposite direction.', dynamic=True
    )
    rerank: str = parameter(
        'auto',
        'Whether candidates are ranked again by their local descriptors, which also tell whether '
        'they are right: auto (where the map has them, as far as rerank_budget allows), always '
        '(all of them; a map without local descriptors is refused) or off.',
        choices=('auto', 'always', 'off'),
    )
    rerank_budget: float = parameter(
        100.0,
        'Time that a frame may take for its local descriptors. As many candidates are compared '
        'as fit, by a measurement on the map that is made once on a machine and kept in the '
        "user's cache, so that a replay compares the same; too small for 3 candidates, nothing is "
        'compared.',
        unit='ms',
        least=0.0,
        most=10_000.0,
    )
    text_weight: float = parameter(
        0.1,
        'Similarity that a rare text in common at the same place of the image is worth, where '
        'candidates are ranked again by their texts; 0: they are not.',
        least=0.0,
        most=10.0,
        dynamic=True,
    )
    text_confidence: float = parameter(
        0.7,
        'Least confidence of a text that counts.',
        least=0.0,
        most=1.0,
        dynamic=True,
    )
    metric: str = parameter(
        'auto',
        'Whether poses come from landmarks, in centimetres: auto (where the map has them) or off.',
        choices=('auto', 'off'),
        dynamic=True,
    )
    metric_candidates: int = parameter(
        3,
        'Number of candidates, each apart from the others, beside which a frame is solved by '
        'landmarks until one succeeds.',
        least=1,
        most=20,
        dynamic=True,
    )
    metric_hypotheses: int = parameter(
        1500,
        'Number of pairs of matches from which a pose by landmarks is tried; the time of a '
        'solution grows with it.',
        least=200,
        most=100_000,
        dynamic=True,
    )
    metric_lead: bool = parameter(
        True,
        'Also solve the frame beside the best candidate elsewhere, to tell by how many inliers '
        'the pose leads; it costs as much time as the pose.',
        dynamic=True,
    )
    check_images: bool = parameter(
        True,
        'Ignore an image that is black, saturated, covered, blurred or blank.',
        dynamic=True,
    )
    min_probability: float = parameter(
        0.985,
        'Least probability at which a single frame is accepted on a calibrated map.',
        least=0.5,
        most=1.0,
        dynamic=True,
    )
    promise: float = parameter(
        0.99,
        'Share of the accepted poses that have to be right, for a calibration to count as proven.',
        least=0.5,
        most=0.9999,
    )
    contradiction: float = parameter(
        3.0,
        'The pose of the sequence is refused if the natural logarithm of the likelihood ratio of '
        'the present frame is at most minus this value; without odometry, if it is at most 0.',
        least=0.0,
        most=100.0,
        dynamic=True,
    )
    sequence: bool = parameter(
        True,
        'Decide by all frames until now, if the map is calibrated; false: by each frame alone.',
        dynamic=True,
    )
    proof: float = parameter(
        1.0,
        'Factor of the proof that LOCALIZED requires: the required proof is this factor times the '
        'proof that the calibration measured.',
        least=0.0,
        most=100.0,
        dynamic=True,
    )
    localized_from: float = parameter(
        0.9,
        'Least probability at which the sequence becomes LOCALIZED.',
        least=0.5,
        most=1.0,
        dynamic=True,
    )
    lost_below: float = parameter(
        0.7,
        'Probability below which the sequence is no longer LOCALIZED.',
        least=0.0,
        most=1.0,
        dynamic=True,
    )
    evidence_every: float = parameter(
        3.0,
        'Distance whose frames count as one, because their errors are correlated; frames of a '
        'robot that stands are not used.',
        unit='m',
        least=0.1,
        most=100.0,
        dynamic=True,
    )
    leave_after: float = parameter(
        300.0,
        'Mean distance until the robot leaves the map, or comes back to it.',
        unit='m',
        least=1.0,
        most=1e6,
        dynamic=True,
    )
    jump_after: float = parameter(
        3000.0,
        'Mean distance until the robot is carried elsewhere.',
        unit='m',
        least=1.0,
        most=1e6,
        dynamic=True,
    )
    usual_speed: float = parameter(
        1.0,
        'Speed that bounds the motion where there is no odometry.',
        unit='m/s',
        least=0.01,
        most=50.0,
        dynamic=True,
    )
