"""Rendering of the pictures of a campus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from husky_placerec.campus import labels
from husky_placerec.campus.bumper import add_bumper, rows_above
from husky_placerec.campus.camera import Camera, in_view
from husky_placerec.campus.conditions import Condition, WINTER
from husky_placerec.campus.film import develop
from husky_placerec.campus.lens import lens_view
from husky_placerec.campus.light import lamps_near, Light, light_of
from husky_placerec.campus.materials import LEAF
from husky_placerec.campus.mesh import Mesh
from husky_placerec.campus.picture import Mask, Picture
from husky_placerec.campus.rasterizer import trace
from husky_placerec.campus.rig import CameraModel
from husky_placerec.campus.scene import Scene
from husky_placerec.campus.shading import shade
from husky_placerec.campus.shadow import Shadow, ShadowMaker
from husky_placerec.campus.surfaces import smooth_noise
from husky_placerec.campus.textures import Textures
from husky_placerec.campus.visible import mask_of, things_of, visible_signs
from husky_placerec.types import Pose
import numpy as np
from numpy.typing import NDArray

_FARTHEST_M = 450.0
_SNOW_LIES_FROM = 0.55  # z of a normal; at this value paint.py mixes in about half snow


class _Moment(NamedTuple):
    """The input that all cameras share at one moment."""

    condition: Condition
    light: Light
    scene: Scene
    moving: Mesh
    shadow: Shadow


class Renderer:
    """Renders pictures of one scene at one size."""

    def __init__(self, scene: Scene, textures: Textures, width: int, height: int) -> None:
        """Prepare the data that all pictures share."""
        self._size = (width, height)
        self._summer, self._winter = scene, _in_winter(scene, textures)
        # A contiguous copy of the masks uses the memory cache better than the RGBA texels.
        self._holes = np.ascontiguousarray(textures.layers[..., 3])
        self._shadows = ShadowMaker(self._holes)
        self._mips = textures.mip_chain()
        self._noise = _weather_noise()

    def render(
        self,
        pose: Pose,
        rig: Sequence[CameraModel],
        condition: Condition,
        moving: Mesh,
        rngs: Sequence[np.random.Generator],
    ) -> list[Picture]:
        """
        Return the pictures of the cameras of a robot at one moment.

        :param pose: pose of `base_link` in the map frame.
        :param moving: the triangles that are not part of the scene.
        :param rngs: one random generator per camera, for noise, rain and snow. Seed it from the
            frame for reproducible pixels.
        """
        scene = self._winter if condition.season == WINTER else self._summer
        light = light_of(condition)
        moment = _Moment(
            condition, light, scene, moving, self._shadows.shadow(pose, light, scene, moving)
        )
        return [
            self._picture(moment, pose, model, rng) for model, rng in zip(rig, rngs, strict=True)
        ]

    def _picture(
        self, moment: _Moment, pose: Pose, model: CameraModel, rng: np.random.Generator
    ) -> Picture:
        camera, bumper = Camera.at(pose, model, self._size), model.bumper
        lens = model.upright_lens(*self._size)
        if lens.is_straight:
            rows = rows_above(bumper, camera.height)
            image, mask, things = self._light(moment, camera, rows)
        else:
            view = lens_view(lens)
            faces = [camera.turned(*face) for face in view.faces]
            image, mask, things = view.joined(
                [self._light(moment, face, face.height) for face in faces]
            )
        add_bumper(image, mask, bumper, moment.light)
        picture = Picture(
            develop(image, moment.condition, rng),
            mask,
            visible_signs(things, mask, moment.scene.signs, camera, lens),
        )
        return picture.turned_upside_down() if model.upside_down else picture

    def _light(
        self, moment: _Moment, camera: Camera, rows: int
    ) -> tuple[NDArray[np.float32], Mask, NDArray[np.int64]]:
        """
        Return the linear light of a pinhole picture, its mask, and the numbers of its signs.

        :param rows: number of rows to shade.
        """
        condition, light, scene, moving, shadow = moment
        far_m = min(_FARTHEST_M, 5 / condition.fog_per_m)  # where fog leaves exp(-5) of the light
        mesh = in_view(scene, moving, camera, far_m)
        hits = trace(
            mesh,
            camera.matrix,
            self._holes,
            (camera.width, camera.height),
            camera.focal_px,
        )
        image = np.zeros((camera.height, camera.width, 3), np.float32)
        lamps = lamps_near(light, scene, camera)
        shade(mesh, hits, camera, light, shadow, lamps, self._mips, self._noise, rows, image)
        mask = mask_of(mesh, hits)
        return image, mask, things_of(mesh, hits, mask)


def _in_winter(scene: Scene, textures: Textures) -> Scene:
    """Return the scene in winter: bare trees instead of trees with leaves, snow on lawns."""
    shift = textures.layer('bare') - textures.layer('leaf')
    mesh = scene.mesh.copy()
    mesh['layer'][mesh['material'] == LEAF] += shift
    is_white = (mesh['label'] == labels.TERRAIN) & (mesh['normal'][:, 2] > _SNOW_LIES_FROM)
    mesh['label'][is_white] = labels.SNOW
    return replace(scene, mesh=mesh)


def _weather_noise() -> np.ndarray:
    """Return [SIZE, SIZE] periodic noise around 0.5, which is the same for all campuses."""
    noise = smooth_noise(np.random.default_rng(77), (32, 64, 128, 256), 0.5)
    return np.clip((noise - noise.mean()) * 1.15 + 0.47, 0, 1)
