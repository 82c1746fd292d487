"""A map that is exchanged under load, and one path for the node and the replay."""

from __future__ import annotations

import json
import threading

from husky_placerec.config import make_config
from husky_placerec.data.images import decode_image
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.evaluation.replay import replay
from husky_placerec.placemap.moving import transform
from husky_placerec.placemap.places import Places
from husky_placerec.recognition.recognizer import Recognizer
from husky_placerec.recognition.serialization import recognition_json
from husky_placerec.session import Session
from husky_placerec.types import Frame, SECOND_NS
import numpy as np
import pytest
from support.builders import (
    BACK,
    compressed,
    encode,
    FRONT,
    planar,
    random_map,
    smooth_image,
    SPACING_M,
    START_NS,
)
from support.calibrations import calibration
from support.sessions import Lines, Noting, running, store

COUNT = 12
FAR_M = 10_000.0  # by which each version of the map is moved
PIXELS = {'extractor': 'pixels'}


def view(place, stamp_ns):
    """Make a frame that shows a place of the map."""
    images = {
        camera: smooth_image(seed, 64, 48) for camera, seed in ((FRONT, place), (BACK, place + 99))
    }
    return Frame(stamp_ns, images, dict.fromkeys(images, stamp_ns))


@pytest.fixture(scope='module')
def place_map():
    """Make a map of places in a row, calibrated by hand."""
    extractor = load_extractor(make_config(PIXELS))
    poses = np.array([planar(SPACING_M * place).as_array() for place in range(COUNT)])
    present = np.ones((COUNT, 2), bool)
    return random_map(
        places=Places(np.arange(COUNT), poses, ('a',) * COUNT, present),
        descriptors=np.stack([extractor.describe(view(place, 0)) for place in range(COUNT)]),
        spec=extractor.spec,
        calibration=calibration(descriptor=extractor.spec.as_json(), proof=4.0).as_json(),
    )


def version_of(pose):
    return round(pose.x / FAR_M)


class Versions(Noting):
    """Notes the versions of the map, in the order in which they are told."""

    def __init__(self):
        super().__init__()
        self.order = []

    def recognized(self, recognition, frame):
        super().recognized(recognition, frame)
        self.order.append(('pose', version_of(recognition.pose)))

    def began_anew(self):
        super().began_anew()
        self.order.append(('anew', None))


@pytest.mark.parametrize('sequence', [False, True])
def test_no_frame_is_lost_while_the_map_is_exchanged(place_map, sequence):
    config = make_config({**PIXELS, 'sequence': sequence})
    recognizer = Recognizer.load(place_map, config)
    versions = [transform(place_map, planar(FAR_M * number)) for number in range(1, 9)]
    parameters = {**PIXELS, 'sequence': sequence}
    with running(parameters, recognizer, Versions(), decode=lambda image: image) as made:
        exchanged = threading.Event()

        def exchange():
            for version in versions:
                made.session.reload(version)
            exchanged.set()

        exchanging = threading.Thread(target=exchange)
        number = 0
        while number < 20 or not exchanged.is_set():
            store(made.session, view(number % COUNT, START_NS + number * SECOND_NS))
            number += 1
            if number == 3:
                exchanging.start()
        store(made.session, view(number % COUNT, START_NS + number * SECOND_NS))
        exchanging.join(5)
        counters, observer = made.session.counters, made.observer
        assert observer.problems == []
        assert counters.dropped == counters.failures == 0
        assert len(observer.told) == len(made.log) == counters.processed == number + 1
        assert observer.resets == len(versions)
        resets = 0
        for kind, version in observer.order:
            resets += kind == 'anew'
            assert kind == 'anew' or version == resets
        assert observer.order[-1] == ('pose', len(versions))


def test_no_pose_of_an_old_map_is_told_while_frames_come_faster_than_they_are_recognised(
    place_map,
):
    recognizer = Recognizer.load(place_map, make_config(PIXELS))
    with running(PIXELS, recognizer, Versions(), decode=lambda image: image) as made:
        frames = [view(number % COUNT, START_NS + number * SECOND_NS) for number in range(COUNT)]
        for version in range(1, 6):
            for each in frames:
                made.session.store(each)
            made.session.reload(transform(place_map, planar(FAR_M * version)))
        store(made.session, frames[0])
        counters = made.session.counters
        assert counters.processed + counters.dropped == counters.frames
        assert len(made.observer.told) == counters.processed
        resets = 0
        for kind, version in made.observer.order:
            resets += kind == 'anew'
            assert kind == 'anew' or version == resets


def happen(session, number):
    """Do what happens on a drive before some of its frames."""
    stamp_ns = START_NS + number * SECOND_NS
    session.add_odometry(stamp_ns - SECOND_NS // 2, planar(SPACING_M * (number - 0.5)))
    session.add_odometry(stamp_ns, planar(SPACING_M * number))
    if number == 4:
        session.begin_anew()
    if number == 7:
        session.configure(make_config({**PIXELS, 'candidates': 3, 'localized_from': 0.99}))


def test_a_frame_recognised_by_the_worker_and_in_a_replay_is_the_same(place_map):
    logs = []
    for by_worker in (True, False):
        recognizer, log = Recognizer.load(place_map, make_config(PIXELS)), Lines()
        session = Session(recognizer, make_config(PIXELS), log=log)
        if by_worker:
            session.start()
        for number in range(COUNT):
            happen(session, number)
            frame = view(number, START_NS + number * SECOND_NS)
            if by_worker:
                store(session, frame)
            else:
                session.recognize(frame)
        session.stop()
        logs.append(list(log))
    assert logs[0] == logs[1]
    lines = [json.loads(line) for line in logs[0]]
    assert {line['state'] for line in lines} == {'TENTATIVE', 'LOCALIZED'}
    assert [line['forgot'] for line in lines] == [n in (0, 4) for n in range(COUNT)]
    assert [len(line['odometry']) for line in lines] == [2] * COUNT
    assert lines[7]['parameters']['candidates'] == 3


class Source:
    """A drive along the map, with encoded images and without odometry."""

    def frames(self, config):
        for number in range(COUNT):
            stamp_ns = START_NS + number * SECOND_NS
            seen = view(number, stamp_ns)
            images = {c: compressed(stamp_ns, encode(image)) for c, image in seen.images.items()}
            yield Frame(stamp_ns, images, seen.image_stamps_ns)

    def odometry(self, topic=''):
        return None


def test_a_replay_of_a_source_takes_the_path_of_the_node(place_map):
    recognizer = Recognizer.load(place_map, make_config(PIXELS))
    with running(PIXELS, recognizer, decode=decode_image) as made:
        store(made.session, *Source().frames(None))
        lines = list(map(json.loads, made.log))
    recognizer = Recognizer.load(place_map, make_config(PIXELS))
    replayed = [
        recognition_json(result.recognition)
        for result in replay(Source(), recognizer, make_config(PIXELS))
    ]
    assert [line['accepted'] for line in lines].count(True) > 1
    assert [{**line, **said} for line, said in zip(lines, replayed, strict=True)] == lines
