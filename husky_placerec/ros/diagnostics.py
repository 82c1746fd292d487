"""The values of /diagnostics: the health of the node, and the remedy of each problem."""

from __future__ import annotations

from collections.abc import Mapping
import time

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from husky_placerec.data.pairing import FramePairer
from husky_placerec.descriptor.masking import MASKED, MISSING
from husky_placerec.printable import printable
from husky_placerec.ros.inputs import Inputs, optional
from husky_placerec.semantics.segmenter import TimedSegmenter
from husky_placerec.session import Session
from husky_placerec.session.counters import Counters, percentiles, Usage
from husky_placerec.session.mask_buffer import BROKEN, EARLY, LATE

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR
PATIENCE = 20  # images of each camera that may come without a frame

Finding = tuple[bytes, str]  # level and sentence


def input_statuses(inputs: Inputs, hardware_id: str) -> dict[str, DiagnosticStatus]:
    """Return a status for each input: ERROR for a silent camera, WARN for other problems."""
    statuses = {}
    for name, health in inputs.health.items():
        problem = inputs.problem(name)
        missed = health.silent and not optional(name)
        level = OK if not problem else ERROR if missed else WARN
        values = {
            'topic': health.topic,
            'type': health.kind,
            'rate Hz': f'{health.rate_hz:.1f}',
            'messages': health.messages,
            'stamp older than the clock by s': f'{health.age_s:.3f}',
        }
        statuses[name] = status(name, level, problem or 'heard', values, hardware_id)
    return statuses


def session_values(counters: Counters, pairer: FramePairer, driven_m: float) -> dict[str, object]:
    """Return the counts and times of the session."""
    waits, ages = percentiles(counters.waits_ms), percentiles(counters.ages_ms)
    decoding = percentiles(counters.decoding_ms)
    recognising = percentiles(counters.recognising_ms)
    known = counters.fixed_at is not None
    since_s = f'{time.monotonic() - counters.fixed_at:.1f}' if known else 'never'  # type: ignore[operator]
    since_m = f'{driven_m - (counters.fixed_m or 0.0):.1f}' if known else 'never'
    probability, proof = counters.last_probability, counters.last_proof
    decided = max(1, counters.processed)
    return {
        'frames': counters.frames,
        'pairs of all cameras': counters.frames - counters.lone,
        'frames with a camera missing': counters.lone,
        'frames processed': counters.processed,
        'frames dropped': counters.dropped,
        'frames held back': sum(counters.held_back.values()),
        **{f'   {reason}': count for reason, count in sorted(counters.held_back.items())},
        'poses published': counters.accepted,
        'accept ratio': f'{counters.accepted / decided:.3f}',
        **metric_values(counters),
        'images that match no other': pairer.unmatched,
        'images that do not decode': counters.undecodable,
        'failures': counters.failures,
        'times that stamps began anew': pairer.resets,
        'last refusal': counters.last_reason,
        'last probability': '' if probability is None else f'{probability:.3f}',
        'last proof': '' if proof is None else f'{proof:.1f}',
        'seconds since the last fix': since_s,
        'metres since the last fix': since_m,
        **_times('latency', waits),
        **_times('from stamp', ages),
        **_times('decoding', decoding),
        **_times('recognising', recognising),
    }


def metric_values(counters: Counters) -> dict[str, object]:
    """Return how many frames were solved by landmarks, and why others were not."""
    tried = counters.solved + sum(counters.unsolved.values())
    if not tried:
        return {}
    return {
        'solved by landmarks': f'{counters.solved} of {tried} ({counters.solved / tried:.0%})',
        **{f'   not: {reason}': count for reason, count in sorted(counters.unsolved.items())},
        'last inliers': counters.last_inliers,
    }


def mask_values(session: Session) -> dict[str, object]:
    """Return what became of the masks; nothing where masks are off."""
    masking = session.recognizer.masking
    if masking is None:
        return {}
    counts = masking.counts + session.masks.counts
    known = dict.fromkeys((MASKED, MISSING, LATE, EARLY, BROKEN), 0)
    values: dict[str, object] = {**known, **counts}
    if isinstance(masking.segmenter, TimedSegmenter) and masking.segmenter.failures:
        values['failures of the segmentation'] = masking.segmenter.failures
        values['last failure of the segmentation'] = masking.segmenter.problem
    return values


def text_values(session: Session) -> dict[str, object]:
    """Return what became of the texts; nothing where none are read."""
    if session.texts is None:
        return {}
    counters = session.counters
    return {
        'frames whose signs were read': session.texts.read,
        'frames whose signs could not be read': session.texts.failures,
        'frames with texts': counters.with_texts,
        'last texts': counters.last_texts,
    }


def usage_values(usage: Usage) -> dict[str, object]:
    """Return CPU time and memory of the process."""
    return {'CPU %': f'{usage.cpu_percent():.1f}', 'memory MB': f'{usage.memory_mb():.1f}'}


def pairing_problem(unpaired: int) -> str:
    """
    Return what to do where all cameras send images, but no frame comes of them.

    :param unpaired: images that every camera has sent since the last frame.
    """
    if unpaired < PATIENCE:
        return ''
    return (
        'images come from all cameras, but none belong together: their stamps differ by more '
        'than slop; synchronise their clocks, or raise slop'
    )


def status(
    name: str, level: bytes, message: str, values: Mapping[str, object], hardware_id: str
) -> DiagnosticStatus:
    """Make a status of values."""
    pairs = [KeyValue(key=printable(key), value=printable(value)) for key, value in values.items()]
    return DiagnosticStatus(
        level=level, name=name, message=printable(message), hardware_id=hardware_id, values=pairs
    )


def worst(findings: list[Finding]) -> Finding:
    """Return the highest level, and all sentences, the worst first."""
    ordered = sorted(findings, key=lambda finding: finding[0], reverse=True)
    level = ordered[0][0] if ordered else OK
    return level, '; '.join(message for _, message in ordered)


def diagnostic_array(stamp: object, statuses: list[DiagnosticStatus]) -> DiagnosticArray:
    """Make the message of /diagnostics."""
    array = DiagnosticArray(status=statuses)
    array.header.stamp = stamp
    return array


def _times(name: str, found: list[float]) -> dict[str, object]:
    return {f'{name} p{p} ms': f'{value:.1f}' for p, value in zip((50, 95, 99), found)}
