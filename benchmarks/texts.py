"""
What texts of signs are worth, on simulated campuses of the hard protocol.

A map and two other drives a campus are rendered at 1280x720, and the signs that are whole and have
letters of 8 px are read by tesseract. Then the 20 best candidates of each frame are ranked again.
The weight of the texts is chosen on the first campus, and the table is of the others; of a single
campus it is chosen on the first of its drives and measured on the second.

Example: python benchmarks/texts.py --cache texts_drives --seeds 1411 1412
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
import time

from husky_placerec.campus.protocols import drive_of
from husky_placerec.campus.recording import write_track
from husky_placerec.config import Config, make_config
from husky_placerec.data.itlp import Track
from husky_placerec.data.source import decoded_frames, open_source
from husky_placerec.operations.drives import describe_drive
from husky_placerec.placemap.frame_texts import corners_of
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.storage import save_map
from husky_placerec.progress import bar, progress
from husky_placerec.recognition.calibrating.calibrate import drive_of as drive_of_map
from husky_placerec.recognition.calibrating.calibrate import sampled
from husky_placerec.recognition.calibrating.fitting import fit_gates
from husky_placerec.recognition.calibrating.leave_out import Setting
from husky_placerec.recognition.calibrating.reliability import recall_at
from husky_placerec.recognition.calibrating.samples import DescribedDrive, is_right, Samples
from husky_placerec.recognition.descriptor_recognizer import DescriptorRecognizer
from husky_placerec.recognition.prior import shipped_prior
from husky_placerec.recognition.text_comparer import MapTextComparer
from husky_placerec.texts.encoders import fold, load_encoder
from husky_placerec.texts.map_texts import MapTexts
from husky_placerec.texts.ocr import SignReader
from husky_placerec.texts.seen import SeenText, shares
from husky_placerec.types import Candidate, Floats, Pose
import numpy as np
from rich.console import Console
from rich.table import Table

SIZE = 1280, 720
QUERIES = 'autumn_rain', 'winter_dusk'
COUNT, FACING_DEG = 20, 30.0
NEAR_M, FAR_M = 5.0, 25.0
WEIGHTS = 0.01, 0.02, 0.05, 0.1, 0.2, 0.5
HEIGHTS = 6.0, 8.0, 10.0, 14.0, 20.0, 1000.0
PRECISIONS = 0.98, 0.995
OFF = 'off'


@dataclass(frozen=True)
class Method:
    """How the candidates are ranked again."""

    encoder: str = 'ngrams'
    words: bool = True
    boxes: bool = True
    perfect: bool = False


METHODS: Mapping[str, Method | None] = {
    OFF: None,
    'words': Method(boxes=False),
    'words x boxes': Method(),
    'boxes only': Method(words=False),
    'words x boxes, E5': Method(encoder='e5'),
    'words x boxes, perfect texts': Method(perfect=True),
}


@dataclass(frozen=True, eq=False)
class Query:
    """A frame: its true pose, its candidates, and its texts as read and as they are."""

    truth: Pose
    candidates: Sequence[Candidate]
    read: Sequence[SeenText]
    perfect: Sequence[SeenText]

    def error_m(self, candidate: Candidate) -> float:
        """Return the distance to a candidate; infinite for one that faces elsewhere."""
        facing = candidate.pose.angle_deg(self.truth) <= FACING_DEG
        return candidate.pose.distance_m(self.truth) if facing else float('inf')


@dataclass(frozen=True, eq=False)
class Campus:
    """A map with its texts as read and as they are, and the other drives with their frames."""

    read: PlaceMap
    perfect: PlaceMap
    drives: Mapping[str, Sequence[Query]]
    described: Mapping[str, DescribedDrive]


def track_of(seed: int, name: str, arguments: argparse.Namespace) -> Path:
    """Return a rendered drive."""
    path = arguments.cache / f'{seed}_{name}'
    if not path.exists():
        about = {'step_m': arguments.step} if name == 'map' else {'step_m': 2 * arguments.step}
        if name != 'map':
            about.update(condition=name, drive=1 + QUERIES.index(name))
        made = drive_of('hard', seed=seed, length_m=arguments.length, **about)
        with bar(f'Rendering {seed} {name}', None, ' frames') as shown:
            made = replace(made, width=SIZE[0], height=SIZE[1])
            write_track(path, made, workers=arguments.workers, progress=lambda *_: shown.update())
    return path


def described(track: Path, like: PlaceMap | None) -> PlaceMap:
    """Return a drive as a map with the texts that are read, kept beside the track."""
    stored = track.with_suffix('.described')
    if not stored.exists():
        made = describe_drive(track, make_config({'texts': 'ocr'}), like=like, bars=progress)
        save_map(made, stored)
    return load_map(stored)


def labels_of(track: Path, stamps_ns: Sequence[int]) -> MapTexts:
    """Return the texts of frames as their labels say; all that are readable."""
    with open_source(track) as drive:
        assert isinstance(drive, Track)
        found = {frame.stamp_ns: frame.image_stamps_ns for frame in drive.frames(Config())}
        return MapTexts(
            tuple(
                tuple(
                    SeenText(label.text, camera, 1.0, shares(corners, *SIZE))
                    for camera, image_ns in found[stamp_ns].items()
                    for label in drive.texts(camera, image_ns)
                    if label.readable and (corners := corners_of(label)) is not None
                )
                for stamp_ns in stamps_ns
            )
        )


def campus_of(seed: int, cameras: Sequence[str], arguments: argparse.Namespace) -> Campus:
    """Return a campus seen by some cameras."""
    track = track_of(seed, 'map', arguments)
    mapped = described(track, None)
    perfect = replace(mapped, texts=labels_of(track, mapped.places.stamps_ns.tolist()))
    seen = [name in cameras for name in mapped.spec.cameras]
    drives, whole = {}, {}
    for name in QUERIES:
        path = track_of(seed, name, arguments)
        driven = described(path, mapped)
        labels = labels_of(path, driven.places.stamps_ns.tolist())
        assert driven.texts is not None
        whole[name] = drive_of_map(driven)
        drives[name] = [
            Query(
                Pose.from_array(driven.places.poses[row]),
                mapped.search(
                    np.where(np.array(seen)[:, None], driven.descriptors[row], 0).astype('f4'),
                    COUNT,
                    both_ways=True,
                ),
                [text for text in driven.texts.of_places[row] if text.camera in cameras],
                [text for text in labels.of_places[row] if text.camera in cameras],
            )
            for row in range(len(driven))
        ]
    return Campus(mapped, perfect, drives, whole)


class Ranker:
    """Ranks candidates by one method; the texts of a frame are compared once."""

    def __init__(self, campus: Campus, method: Method) -> None:
        self._method, self._config = method, make_config({'text_encoder': method.encoder})
        self._comparer = MapTextComparer(
            campus.perfect if method.perfect else campus.read, self._config
        )

    def scores(self, query: Query) -> Floats:
        """Return [COUNT] what the texts say to the candidates."""
        found = self._compared(query)
        if found is None:
            return np.zeros(len(query.candidates))
        chosen = {'words': self._method.words, 'boxes': self._method.boxes}
        return found.scores(*states(query), **chosen)

    def evidence(self, query: Query) -> Floats:
        """Return the evidence of the best candidate; NaN without a text."""
        found = self._compared(query)
        return np.full(2, np.nan) if found is None else found.evidence(*states(query))[0]

    def _compared(self, query: Query):
        texts = query.perfect if self._method.perfect else query.read
        return self._comparer.compared(texts, self._config)


def states(query: Query) -> tuple[np.ndarray, np.ndarray]:
    places = np.array([c.place for c in query.candidates])
    return places, np.array([bool(c.reversed) for c in query.candidates])


def errors_of(queries: Sequence[Query], scores: Sequence[Floats], weight: float) -> Floats:
    """Return the error of the first candidate of each frame, in m."""
    best = []
    for query, score in zip(queries, scores):
        similarity = np.array([c.similarity for c in query.candidates])
        best.append(query.error_m(query.candidates[int(np.argmax(similarity + weight * score))]))
    return np.array(best)


def frames_of(campuses: Sequence[Campus]) -> Iterator[tuple[Campus, Sequence[Query]]]:
    for campus in campuses:
        for queries in campus.drives.values():
            yield campus, queries


def rank_table(chosen_on: Sequence[Campus], shown: Sequence[Campus], title: str) -> Table:
    """Return recall@1 and far mistakes of each method, with the weight chosen elsewhere."""
    table = Table(title=title)
    for name in ('method', 'weight', 'R@1 5 m', 'with a text', '10 m', 'over 25 m or turned'):
        table.add_column(name, justify='left' if name == 'method' else 'right')
    for name, method in METHODS.items():
        weight, found = 0.0, []
        if method is not None:
            tried = scored(chosen_on, method)
            means = [
                np.mean([(errors_of(q, s, w) <= NEAR_M).mean() for q, s in tried]) for w in WEIGHTS
            ]
            weight = WEIGHTS[int(np.argmax(means))]
            found = scored(shown, method)
        else:
            found = [(q, [np.zeros(COUNT)] * len(q)) for _, q in frames_of(shown)]
        errors = np.concatenate([errors_of(q, s, weight) for q, s in found])
        texts = np.concatenate([[bool(each.read) for each in q] for q, _ in found])
        rows = [errors <= NEAR_M, (errors <= NEAR_M)[texts], errors <= 10, errors > FAR_M]
        table.add_row(name, f'{weight:g}', *(f'{100 * row.mean():.1f}' for row in rows))
    return table


def scored(
    campuses: Sequence[Campus], method: Method
) -> list[tuple[Sequence[Query], list[Floats]]]:
    found = []
    for campus, queries in frames_of(campuses):
        ranker = Ranker(campus, method)
        found.append((queries, [ranker.scores(query) for query in queries]))
    return found


def evidence_table(shown: Sequence[Campus], title: str) -> Table:
    """Return how often the first candidate has a text in common, or one that contradicts."""
    table = Table(title=title)
    names = ('texts', 'answers', 'frames', 'with a text', 'in common', 'contradicts')
    for name in names:
        table.add_column(name, justify='right')
    for kind, method in (('read', Method()), ('perfect', Method(perfect=True))):
        rows = []
        for campus, queries in frames_of(shown):
            ranker = Ranker(campus, method)
            rows += [(q.error_m(q.candidates[0]), *ranker.evidence(q)) for q in queries]
        error, common, against = np.array(rows).T
        for answer, chosen in (('right', error <= NEAR_M), ('far wrong', error > FAR_M)):
            shares = (
                np.isfinite(common[chosen]),
                common[chosen] >= load_encoder('ngrams').alike,
                against[chosen] >= 0.3,
            )
            told = (f'{100 * share.mean():.0f}' for share in shares)
            table.add_row(kind, answer, str(int(chosen.sum())), *told)
    return table


def accepted(campuses: Sequence[Campus], cameras: Sequence[str], *, texts: bool) -> Floats:
    """
    Return the shares of frames that the gate of a calibrated map accepts, at each of PRECISIONS.

    On each campus the first drive calibrates the map, and the second one is judged.

    :param texts: the map has texts; else it has none.
    """
    stated, right = [], []
    config = make_config({'texts': 'ocr' if texts else 'off'})
    for campus in campuses:
        place_map = campus.read if texts else replace(campus.read, texts=None)
        first, second = (campus.described[name] for name in QUERIES)
        gates, _ = sampled([Setting(place_map, (first,))], config)
        models = fit_gates(Samples.join(gates), shipped_prior())
        recognizer = DescriptorRecognizer(place_map, config, None)
        seen = np.array([name in cameras for name in place_map.spec.cameras])
        for frame in range(len(second)):
            query = np.where(seen[:, None], second.descriptors[frame], 0).astype(np.float32)
            result = second.searched(recognizer, frame, query)
            if result.best is None or second.poses is None:
                continue
            place, reverse = result.best.place, bool(result.best.reversed)
            gate = models[0] if seen.all() else models[1]
            stated.append(float(gate.probability(result.evidence_of(place, reverse))))
            truth = Pose.from_array(second.poses[frame])
            right.append(is_right(result.pose(place, reverse), truth))
    recalls = (recall_at(p, np.array(stated), np.array(right), len(right)) for p in PRECISIONS)
    return np.array([recall for recall, _ in recalls])


def gate_table(campuses: Sequence[Campus], cameras: Sequence[str], title: str) -> Table:
    """Return what the gate accepts without texts and with them."""
    table = Table(title=title)
    for name in ('texts', *(f'accepted at {100 * p:g} % right' for p in PRECISIONS)):
        table.add_column(name, justify='right')
    for texts in (False, True):
        shares = accepted(campuses, cameras, texts=texts)
        table.add_row('read' if texts else 'none', *(f'{100 * share:.1f}' for share in shares))
    return table


def reading_table(tracks: Sequence[Path]) -> Table:
    """Return how well signs are read by the height of their letters, and the time of a crop."""
    reader, encoder, rows, cpu_s = SignReader(), load_encoder('ngrams'), [], 0.0
    for track in tracks:
        with open_source(track) as drive:
            assert isinstance(drive, Track)
            frames = list(drive.frames(Config()))
            for frame in progress(f'Reading {track.name}')(
                decoded_frames(drive, frames), len(frames)
            ):
                for camera, image in frame.images.items():
                    for label in drive.texts(camera, frame.image_stamps_ns[camera]):
                        corners = corners_of(label)
                        if not label.whole or corners is None or label.letter_px is None:
                            continue
                        began = time.process_time()
                        found = reader.read(image, [corners], camera)
                        cpu_s += time.process_time() - began
                        text = found[0].text if found else ''
                        alike = encoder.encode([text, label.text])
                        sure = found[0].confidence if found else 0.0
                        same = fold(text) == fold(label.text)
                        rows.append((label.letter_px, same, alike[0] @ alike[1] >= 0.6, sure))
    table = Table(title=f'{len(rows)} whole signs, {1000 * cpu_s / len(rows):.1f} ms CPU a crop')
    for name in ('letters, px', 'signs', 'exact', 'alike', 'sure', 'alike of the sure'):
        table.add_column(name, justify='right')
    height, exact, alike, sure = np.array(rows, np.float64).T
    for low, high in zip((0.0, *HEIGHTS), HEIGHTS):
        chosen = (height >= low) & (height < high)
        certain = chosen & (sure >= 0.7)
        shares = exact[chosen], alike[chosen], sure[chosen] >= 0.7, alike[certain]
        told = (f'{100 * share.mean():.0f}' if len(share) else '-' for share in shares)
        table.add_row(f'{low:g} to {high:g}', str(int(chosen.sum())), *told)
    return table


def split(campuses: Sequence[Campus]) -> tuple[Sequence[Campus], Sequence[Campus]]:
    """Return what to choose the weight on, and what to show."""
    if len(campuses) > 1:
        return campuses[:1], campuses[1:]
    one, other = (replace(campuses[0], drives={k: campuses[0].drives[k]}) for k in QUERIES)
    return [one], [other]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--cache', type=Path, default=Path('texts_drives'))
    parser.add_argument('--seeds', type=int, nargs='+', default=[1411, 1412])
    parser.add_argument('--length', type=float, default=800.0, help='of each drive, in m')
    parser.add_argument('--step', type=float, default=5.0, help='of the places, in m')
    parser.add_argument('--workers', type=int, default=2)
    arguments = parser.parse_args()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    console = Console(width=110)
    for cameras in (('front', 'back'), ('front',)):
        campuses = [campus_of(seed, cameras, arguments) for seed in arguments.seeds]
        chosen_on, shown = split(campuses)
        count = sum(len(queries) for _, queries in frames_of(shown))
        title = f'{" and ".join(cameras)}, {count} frames, {len(shown[0].read)} places'
        console.print(rank_table(chosen_on, shown, title))
        console.print(evidence_table(campuses, f'the first answer; {" and ".join(cameras)}'))
        console.print(gate_table(campuses, cameras, f'the gate; {" and ".join(cameras)}'))
    names = [(seed, name) for seed in arguments.seeds for name in ('map', *QUERIES)]
    console.print(reading_table([track_of(*each, arguments) for each in names]))


if __name__ == '__main__':
    main()
