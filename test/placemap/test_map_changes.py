"""Maps merged, pruned, moved, aligned and exported."""

from __future__ import annotations

from dataclasses import replace

import cv2
from husky_placerec.data.pose_file import read_trajectory
from husky_placerec.data.trajectory import Trajectory
from husky_placerec.errors import InputError
from husky_placerec.placemap.exporting import export_map
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.merging import merge_maps
from husky_placerec.placemap.moving import align, motion_of, transform
from husky_placerec.placemap.pruning import neighbours_alike, prune
from husky_placerec.placemap.storage import save_map
from husky_placerec.placemap.thumbnails import make_thumbnails
from husky_placerec.types import GeoOrigin, SECOND_NS
import numpy as np
import pytest
from support.builders import frame as make_frame
from support.builders import planar, smooth_image, spec, START_NS, thumbnails_of
from support.needs import needs
from support.validation_maps import drive


def test_a_merged_map_knows_where_each_track_is_from():
    merged = merge_maps([drive(track='winter'), drive(1, track='summer')])
    assert merged.place_map.sources == {'winter': 'winter.bag', 'summer': 'summer.bag'}
    assert merged.place_map.places.tracks == ('winter',) * 30 + ('summer',) * 30
    assert (merged.added, merged.renamed) == ((30,), ())
    assert merged.place_map.index is None


def test_two_drives_of_one_name_are_kept_apart():
    merged = merge_maps([drive(), drive(1), drive(2)])
    assert merged.renamed == (('drive', 'drive-2'), ('drive', 'drive-3'))
    assert set(merged.place_map.places.tracks) == {'drive', 'drive-2', 'drive-3'}
    assert merged.place_map.places.duplicate() is None


def test_a_drive_that_is_there_is_not_added_again_and_the_rest_of_one_goes_on_under_its_name():
    whole = drive()
    half = replace(
        whole, places=whole.places.chosen(np.arange(10)), descriptors=whole.descriptors[:10]
    )
    assert merge_maps([whole, half]).place_map is whole
    merged = merge_maps([half, whole])
    assert merged.added == (20,)
    assert merged.place_map.places.tracks == ('drive',) * 30
    assert sorted(merged.place_map.places.stamps_ns) == sorted(whole.places.stamps_ns)


@needs('sklearn')
def test_the_whitening_is_fitted_again_to_all_places():
    one, other = drive(), drive(1)
    whitened = one.whitened(one.fit_whitening())
    merged = merge_maps([whitened, other]).place_map
    expected = merge_maps([one, other]).place_map.fit_whitening()
    np.testing.assert_allclose(merged.whitening.matrix, expected.matrix, atol=1e-6)
    assert merged.descriptors.shape == (60, 2, 16)
    assert merge_maps([one, whitened]).place_map.whitening is None


@pytest.mark.parametrize(
    ('changes', 'expected'),
    [
        ({'spec': replace(spec(), extractor='hog')}, "extractor is 'hog', not 'pixels'"),
        ({'spec': spec(weights_sha256='abc')}, "weights_sha256 is 'abc', not ''"),
        ({'frame_id': 'odom'}, "frame is 'odom', not 'campus'"),
        ({'opposites': None}, 'opposite cameras is None, not (1, 0)'),
        ({'origin': GeoOrigin(1, 2, 3)}, 'origin is GeoOrigin(latitude=1'),
    ],
)
def test_maps_that_do_not_go_together_are_refused_and_say_why(changes, expected):
    one = replace(drive(), origin=GeoOrigin(4, 5, 6), name='one.map')
    with pytest.raises(InputError) as caught:
        merge_maps([one, replace(drive(1), name='other.map', **changes)])
    assert str(caught.value).startswith('other.map: does not go with one.map: ')
    assert expected in str(caught.value)


def test_of_three_like_seasons_one_is_kept_and_an_unlike_one_besides():
    summers = [drive(seed, track=f's{seed}', look=7, noise=0.02) for seed in range(3)]
    winter = drive(3, track='winter')
    pruned = prune(merge_maps([*summers, winter]).place_map, 0.4, 0.9)
    assert pruned.places.tracks == ('s0',) * 30 + ('winter',) * 30
    assert set(pruned.sources) == {'s0', 'winter'}


def test_a_place_every_few_metres_is_kept():
    made = drive(count=60)
    kept = prune(made, 5.0, -1.0)  # everything looks alike
    positions = kept.places.poses[:, :2]
    gaps = np.linalg.norm(np.diff(positions, axis=0), axis=1)
    assert gaps.min() > 5.0
    every = made.places.poses[:, None, :2] - positions
    assert np.linalg.norm(every, axis=2).min(axis=1).max() <= 5.0


def test_a_place_faced_the_other_way_is_kept():
    made = drive()
    poses = made.places.poses.copy()
    poses[1::2, 3:] = planar(0, 0, 180).as_array()[3:]
    made = replace(made, places=replace(made.places, poses=poses))
    headings = prune(made, 1000.0, -1.0).places.poses[:, 3:]
    assert len(headings) == 2


def test_pruning_takes_the_likeness_of_neighbours_for_its_measure():
    made = drive()
    cosines = np.einsum('ncd,ncd->n', *(made.descriptors[k:][:29].astype(float) for k in (0, 1)))
    assert neighbours_alike(made) == pytest.approx(np.median(cosines) / 2, abs=1e-3)


MOTION = motion_of([10, -20, 3], [0.1, -0.2, 2.0])


def test_a_moved_map_has_each_pose_in_the_new_frame_and_the_same_descriptors(tmp_path):
    made = replace(drive(), origin=GeoOrigin(1, 2, 3))
    moved = transform(made, MOTION, 'site')
    for i in (0, 17):
        expected = (MOTION @ made.place(i).pose).as_array()
        found = moved.place(i).pose.as_array()
        np.testing.assert_allclose(found[:3], expected[:3], atol=1e-9)
        assert abs(found[3:] @ expected[3:]) == pytest.approx(1)
    assert (moved.frame_id, moved.origin) == ('site', None)
    back = transform(moved, MOTION.inverse(), 'campus')
    np.testing.assert_allclose(back.places.poses[:, :3], made.places.poses[:, :3], atol=1e-9)


def test_only_the_places_of_a_moved_map_are_written_anew(tmp_path):
    save_map(drive(), tmp_path / 'map')
    (file,) = (tmp_path / 'map').glob('descriptors-*')
    inode = file.stat().st_ino
    save_map(transform(load_map(tmp_path / 'map'), MOTION), tmp_path / 'map', overwrite=True)
    assert file.stat().st_ino == inode
    assert len(list((tmp_path / 'map').glob('places-*'))) == 2


@pytest.mark.parametrize('kind', ['sq8', 'hnsw', 'ivf_sq8'])
def test_the_index_of_a_moved_map_is_its_own(tmp_path, kind):
    made = drive(count=200).indexed(kind)
    save_map(made, tmp_path / 'map')
    query = made.descriptors[5].astype(np.float32)
    expected = [c.place for c in made.search(query, 5, both_ways=True)]
    for i in range(3):  # longer than any version's files stay
        moved = transform(load_map(tmp_path / 'map'), MOTION)
        save_map(moved, tmp_path / 'map', overwrite=True)
        save_map(moved, tmp_path / f'copy {i}')
    (tmp_path / 'map').rename(tmp_path / 'elsewhere')
    for path in (tmp_path / 'elsewhere', tmp_path / 'copy 0'):
        found = load_map(path).search(query, 5, both_ways=True)
        assert [c.place for c in found] == expected


@pytest.mark.parametrize('rpy', [(0, 0, 90), (0, 0, float('nan')), (float('inf'), 0, 0)])
def test_angles_that_are_no_radians_are_refused(rpy):
    with pytest.raises(InputError, match='--rpy'):
        motion_of([0, 0, 0], rpy)


def trajectory_of(place_map, motion=MOTION, noise_m=0.0):
    poses = transform(place_map, motion).places.poses
    poses[:, :3] += noise_m * np.random.default_rng(0).normal(size=(len(poses), 3))
    return Trajectory(place_map.places.stamps_ns, poses, 'site', '', 'site.tum')


def test_a_map_is_aligned_to_where_a_trajectory_has_the_robot():
    made = drive()
    found = align(made, trajectory_of(made), 2.0)
    np.testing.assert_allclose(found.motion.as_array()[:3], [10, -20, 3], atol=1e-6)
    assert found.motion.angle_deg(MOTION) < 1e-5
    assert found.pairs == 30
    assert found.residuals_m.max() < 1e-6
    assert found.turned_deg < 1e-5


def test_the_residual_of_an_alignment_is_what_the_trajectory_errs_by():
    made = drive(count=100)
    found = align(made, trajectory_of(made, noise_m=0.1), 2.0)
    assert np.sqrt(np.mean(found.residuals_m**2)) == pytest.approx(0.1 * np.sqrt(3), rel=0.15)
    assert found.motion.distance_m(MOTION) < 0.3


def test_a_fit_that_is_not_fixed_is_refused():
    straight = drive()
    poses = straight.places.poses.copy()
    poses[:, :3] = np.arange(30)[:, None] * [1.0, 2.0, 0.0]
    straight = replace(straight, places=replace(straight.places, poses=poses))
    with pytest.raises(InputError, match='m across a line; that does not fix the rotation'):
        align(straight, trajectory_of(straight), 2.0)
    with pytest.raises(InputError, match='covers 0 of 30 places'):
        align(drive(start_ns=5), trajectory_of(drive()), 2.0)


def test_an_exported_map_is_what_other_programs_read(tmp_path):
    made = drive()
    export_map(made, tmp_path / 'map.npz')
    with np.load(tmp_path / 'map.npz') as arrays:
        np.testing.assert_array_equal(arrays['descriptors'], made.descriptors)
        np.testing.assert_array_equal(arrays['stamps_ns'], made.places.stamps_ns)
        assert arrays['cameras'].tolist() == ['front', 'back']
    export_map(made, tmp_path / 'map.tum')
    found = read_trajectory(tmp_path / 'map.tum')
    np.testing.assert_array_equal(found.stamps_ns, made.places.stamps_ns)
    np.testing.assert_allclose(found.poses, made.places.poses, atol=1e-8)
    with pytest.raises(InputError, match='expected a name that ends in'):
        export_map(made, tmp_path / 'map.pcd')


def test_thumbnails_are_small_and_stay_with_their_places(tmp_path):
    images = [smooth_image(i, cells=5) for i in range(30)]
    pictures = [make_thumbnails(make_frame(front=image), 40) for image in images]
    one = replace(drive(), thumbnails=thumbnails_of(pictures))
    merged = merge_maps([drive(1, track='bare'), one]).place_map
    save_map(merged, tmp_path / 'map')
    found = load_map(tmp_path / 'map').thumbnails
    assert found.jpeg(0, 'front') is None
    assert found.jpeg(37, 'front') == pictures[7]['front']
    assert found.jpeg(37, 'back') is None
    image = cv2.imdecode(np.frombuffer(found.jpeg(37, 'front'), np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (24, 40, 3)
    apart = abs(image[..., ::-1].astype(float) - cv2.resize(images[7], (40, 24)))
    assert apart.mean() < 10
    pruned = prune(one, 5.0, -1.0)
    stamp_s = (pruned.place(3).stamp_ns - START_NS) // SECOND_NS
    assert pruned.thumbnails.jpeg(3, 'front') == pictures[stamp_s]['front']


def test_a_jump_of_kilometres_is_told():
    made = drive()
    made.places.poses[12:, 0] += 5000
    (told,) = made.places.jumps()
    assert told.startswith('track drive: 5.0 km from the place at ')
    assert drive().places.jumps() == []
