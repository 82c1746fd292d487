"""The rows of `speed.py`: what is timed, made once and called in turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import cv2
from husky_placerec.config import Config, make_config
from husky_placerec.data.images import decode_image
from husky_placerec.data.source import open_source
from husky_placerec.data.trajectory import Trajectory
from husky_placerec.descriptor.extractor import load_extractor
from husky_placerec.descriptor.onnx_export import export_onnx
from husky_placerec.descriptor.quantization import quantized
from husky_placerec.descriptor.runtimes.model_file import ModelFile
from husky_placerec.descriptor.runtimes.openvino_runtime import has_bfloat16
from husky_placerec.descriptor.spec import NORMALIZATIONS, resolve_spec
from husky_placerec.descriptor.torch_extractor import TorchExtractor
from husky_placerec.placemap.building import describe_places, opposite_cameras
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.places import Places
from husky_placerec.recognition.recognizer import Recognizer
from husky_placerec.session.image_needs import image_needs
from husky_placerec.types import Frame, Pixels, SECOND_NS
import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

CAMERAS = 'front', 'back'
WIDTH, HEIGHT = 1280, 720
SCENES, PLACES, BUILT = 8, 5000, 60  # the probes of a map are described besides
MATRIX = 1024  # rows and columns of the matrices that show the machine's peak
NOISE = 3.0  # grey levels: a JPEG is as large as a camera's then
EAGER = 'eager_pair_jpeg'  # of which every row is a ratio

Row = Callable[[], object]


@dataclass(frozen=True)
class Jpeg:
    """A CompressedImage without ROS."""

    data: bytes
    format: str = 'jpeg'


def pictures() -> list[dict[str, Pixels]]:
    """Return pairs of RGB pictures, smooth with some noise, each unlike the others."""
    rng = np.random.default_rng(0)

    def picture() -> Pixels:
        coarse = rng.uniform(0, 255, (36, 64, 3))
        fine = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        return np.asarray((fine + rng.normal(0, NOISE, fine.shape)).clip(0, 255), np.uint8)

    return [{camera: picture() for camera in CAMERAS} for _ in range(SCENES)]


def as_jpeg(picture: Pixels) -> Jpeg:
    return Jpeg(cv2.imencode('.jpg', picture[..., ::-1])[1].tobytes())


class Bench:
    """
    Networks, maps and images of the rows.

    :param folder: for models and a drive.
    :param backbone: timm's name of the large network; its weights are random.
    """

    def __init__(self, folder: Path, backbone: str, threads: int) -> None:
        torch.set_num_threads(threads)
        cv2.setNumThreads(1)
        self.folder, self.threads = folder, threads
        self.seen = pictures()
        self.messages = [{c: as_jpeg(p) for c, p in pair.items()} for pair in self.seen]
        self._turn = 0
        self.maps: dict[tuple[str, str, str], PlaceMap] = {}
        self.network = make_config(
            {'backbone': backbone, 'weights': 'random', 'pooling': 'gem', 'threads': threads}
        )
        spec = resolve_spec(self.network, None)
        self.eager = TorchExtractor(spec, threads=threads)
        self.size = spec.input_width, spec.input_height
        model = folder / 'network.onnx'
        small = [cv2.resize(p, self.size) for pair in self.seen for p in pair.values()]
        export_onnx(spec, model, small, threads=threads)
        self.exported = make_config(
            {'extractor': 'onnx', 'weights': str(model), 'threads': threads}
        )
        self.small = small
        with FlopCounterMode(display=False) as counted:
            self.eager.describe(small[:2])
        self.gflop = counted.get_total_flops() / 1e9

    def pair(self) -> dict[str, Jpeg]:
        """Return the messages of the next scene."""
        self._turn = (self._turn + 1) % SCENES
        return self.messages[self._turn]

    def rows(self) -> dict[str, Callable[[], Row]]:
        """Return what makes the work of each row, by its name."""
        ways = {'onnxruntime_float32': {'runtime': 'onnxruntime'}}
        if find_spec('openvino'):
            ways['openvino_float32'] = {'runtime': 'openvino'}
            if has_bfloat16():
                ways['openvino_bfloat16'] = {'runtime': 'openvino', 'precision': 'bfloat16'}
        best = replace(self.exported, **list(ways.values())[-1])
        shipped = make_config({'weights': 'shipped', 'threads': self.threads})
        shipped = replace(shipped, runtime='openvino' if len(ways) > 1 else 'onnxruntime')
        rows: dict[str, Callable[[], Row]] = {
            EAGER: lambda: self.eager_jpeg,
            'eager_descriptor_pair': lambda: lambda: self.eager.describe(self.small[:2]),
            'matrix_float32': lambda: self.matrix(torch.float32),
            'matrix_bfloat16': lambda: self.matrix(torch.bfloat16),
            'preprocessing_pair_full_float64': lambda: self.classic_pair,
            'preprocessing_pair': lambda: self.preprocessing(best),
        }
        for name, values in ways.items():
            config = replace(self.exported, **values)
            rows[f'descriptor_pair_{name}'] = lambda c=config: self.descriptor(c)
        rows['pair_to_pose_jpeg'] = lambda: self.to_pose(best)
        rows['map_build_pair'] = lambda: self.building(best)
        if find_spec('nncf'):
            rows['descriptor_pair_int8'] = lambda: self.descriptor(self.int8(best))
            rows['pair_to_pose_jpeg_int8'] = lambda: self.to_pose(self.int8(best))
        rows['shipped_descriptor_pair'] = lambda: self.descriptor(shipped)
        rows['shipped_preprocessing_pair'] = lambda: self.preprocessing(shipped)
        rows['shipped_pair_to_pose_jpeg'] = lambda: self.to_pose(shipped)
        for name in ('search_5000', 'search_and_rivals_5000', 'decision_5000'):
            rows[name] = lambda n=name: self.decision(shipped)[n]
        return rows

    def matrix(self, dtype: torch.dtype) -> Row:
        one = torch.rand(MATRIX, MATRIX).to(dtype)
        return lambda: torch.mm(one, one)

    def descriptor(self, config: Config) -> Row:
        extractor = load_extractor(config)
        images = [cv2.resize(image, extractor.preparation.size) for image in self.small[:2]]
        return lambda: extractor._images.describe(images)

    def int8(self, config: Config) -> Config:
        """Return the configuration of the large network in int8, which is made once."""
        file = self.folder / 'network.int8.onnx'
        if not file.is_file():
            model = ModelFile.read(resolve_spec(self.exported, None))
            file.write_bytes(quantized(model, self.small))
        return replace(config, weights=str(file), precision='')

    def classic(self, message: Jpeg) -> np.ndarray:
        """Decode in full, shrink, and normalise in float64: [3, H, W]."""
        bgr = cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_COLOR)
        rgb = cv2.resize(
            cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), self.size, interpolation=cv2.INTER_AREA
        )
        mean, std = (np.array(values) for values in NORMALIZATIONS['imagenet'])
        return ((rgb.astype(np.float64) / 255 - mean) / std).transpose(2, 0, 1)

    def classic_pair(self) -> np.ndarray:
        return np.stack([self.classic(m) for m in self.pair().values()]).astype(np.float32)

    def eager_jpeg(self) -> object:
        network = self.eager.network
        with torch.inference_mode():
            images = torch.from_numpy(self.classic_pair())
            return network(images * network.std + network.mean)  # it normalises by itself

    def preprocessing(self, config: Config) -> Row:
        prepare = load_extractor(config).preparation

        def work() -> list[Pixels]:
            return [
                prepare(
                    camera,
                    decode_image(message, needed=lambda w, h, c=camera: prepare.needed(c, w, h)),
                )
                for camera, message in self.pair().items()
            ]

        return work

    def map_of(self, config: Config) -> PlaceMap:
        """Return a map of a straight road, made once: the scenes, and random places."""
        key = config.weights, config.runtime, config.precision
        if key not in self.maps:
            self.maps[key] = self.made_map(config, PLACES)
        return self.maps[key]

    def made_map(self, config: Config, places: int) -> PlaceMap:
        extractor = load_extractor(config)
        frames = [Frame(0, images, dict.fromkeys(images, 0)) for images in self.seen]
        known = np.stack([extractor.describe(frame) for frame in frames])
        rng = np.random.default_rng(1)
        others = rng.normal(size=(places - len(known), *known.shape[1:])).astype(np.float32)
        others /= np.linalg.norm(others, axis=2, keepdims=True)
        poses = np.zeros((places, 7))
        poses[:, 0], poses[:, 6] = np.arange(places) * 5.0, 1.0
        return PlaceMap(
            Places(
                10**18 + np.arange(places) * SECOND_NS,
                poses,
                ('road',) * places,
                np.ones((places, len(CAMERAS)), bool),
            ),
            np.concatenate([known, others]).astype(np.float16),
            extractor.spec,
            'map',
            opposite_cameras(config),
            {'road': 'synthetic'},
            '2000-01-01T00:00:00+00:00',
            simulated=True,  # so that the calibration of the shipped network counts
        ).indexed('flat')  # a graph finds random descriptors worse than real ones: see search.py

    def to_pose(self, config: Config) -> Row:
        """Return the whole way: two JPEGs to a recognition, the images decoded one by one."""
        place_map = self.map_of(config)
        recognizer = Recognizer.load(place_map, config)
        needs, stamp_ns = image_needs(place_map, config), [0]

        def work() -> object:
            images = {
                camera: decode_image(message, needed=lambda w, h, c=camera: needs(c, w, h))
                for camera, message in self.pair().items()
            }
            stamp_ns[0] += SECOND_NS
            return recognizer.recognize(
                Frame(stamp_ns[0], images, dict.fromkeys(images, stamp_ns[0]))
            )

        return work

    def decision(self, config: Config) -> dict[str, Row]:
        """Return search and decision alone, of frames that are described."""
        place_map = self.map_of(config)
        recognizer = Recognizer.load(place_map, config)
        queries = np.asarray(place_map.descriptors[:SCENES], np.float32)
        found, turn = [recognizer.search(q) for q in queries], [0]

        def decide() -> object:
            turn[0] += 1
            stamp = turn[0] * SECOND_NS
            return recognizer.decide(stamp, dict.fromkeys(CAMERAS, stamp), found[turn[0] % SCENES])

        return {
            'search_5000': lambda: place_map.search(queries[0], 10, both_ways=True),
            'search_and_rivals_5000': lambda: recognizer.search(queries[0]),
            'decision_5000': decide,
        }

    def building(self, config: Config) -> Row:
        """Return the building of a map of BUILT pairs; `speed.py` divides its time."""
        drive = self.folder / 'drive'
        drive.mkdir()
        lines = ['stamp,front,back']
        for number in range(BUILT):
            names = [f'{camera}_{number}.jpg' for camera in CAMERAS]
            for camera, name in zip(CAMERAS, names):
                (drive / name).write_bytes(self.messages[number % SCENES][camera].data)
            lines.append(','.join([str(10**18 + number * SECOND_NS), *names]))
        (drive / 'images.csv').write_text('\n'.join(lines) + '\n')
        poses = np.zeros((BUILT, 7))
        poses[:, 0], poses[:, 6] = np.arange(BUILT) * 5.0, 1.0
        stamps = 10**18 + np.arange(BUILT) * SECOND_NS
        trajectory = Trajectory.make(stamps.tolist(), poses.tolist(), 'bench', 'map')
        extractor = load_extractor(config)

        def work() -> object:
            with open_source(drive) as source:
                return describe_places(
                    source, trajectory, extractor, config, track='drive', max_gap_s=2.0
                )

        return work
