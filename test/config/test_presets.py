"""The files that a robot is set up with: topics, what is recorded, layouts, profiles."""

import json
from pathlib import Path
import re
import xml.etree.ElementTree as ElementTree

from husky_placerec.config import declarations, make_config, read_config
from husky_placerec.config.recording import record_command, recorded_topics, whole_name
from husky_placerec.descriptor.shipped import weights_file
from husky_placerec.recognition.shipped_calibration import read_defaults, SUFFIX
import numpy as np
import pytest
import yaml

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / 'config'


def test_clearpaths_topics_are_relative_and_their_cameras_face_each_other():
    config = read_config(CONFIG / 'clearpath.yaml')
    assert config.camera['front'].topic == 'sensors/camera_0/color/compressed'
    assert config.camera['front'].opposite == 'back'
    assert config.odometry_topic == 'platform/odom/filtered'


@pytest.mark.parametrize('file', sorted(CONFIG.glob('*.yaml')), ids=lambda file: file.stem)
def test_every_preset_is_read(file):
    assert read_config(file).cameras == ['front', 'back']


@pytest.mark.parametrize(
    ('topic', 'namespace', 'name'),
    [
        ('tf', '', '/tf'),
        ('tf', 'a200_0000', '/a200_0000/tf'),
        ('/tf', '/a200_0000', '/tf'),
        ('sensors/gps_0/fix', '/a200_0000/', '/a200_0000/sensors/gps_0/fix'),
    ],
)
def test_a_topic_has_the_name_that_a_node_would_give_it(topic, namespace, name):
    assert whole_name(topic, namespace) == name


def test_a_mapping_drive_has_images_intrinsics_odometry_transforms_and_poses():
    config = read_config(CONFIG / 'clearpath.yaml')
    assert recorded_topics(config, 'a200_0000', ['sensors/gps_0/fix']) == [
        f'/a200_0000/{topic}'
        for topic in (
            'sensors/camera_0/color/compressed',
            'sensors/camera_1/color/compressed',
            'sensors/camera_0/color/camera_info',
            'sensors/camera_1/color/camera_info',
            'platform/odom/filtered',
            'tf',
            'tf_static',
            'sensors/gps_0/fix',
        )
    ]
    husky = recorded_topics(make_config({}))
    assert '/zed_node/left/camera_info' in husky
    assert '/realsense_back/color/camera_info' in husky


def test_static_transforms_are_recorded_though_they_were_told_before():
    command = record_command(make_config({}), 'bag', namespace='a200_0000')
    file = Path(command[command.index('--qos-profile-overrides-path') + 1])
    qos = yaml.safe_load(file.read_text())
    file.unlink()
    assert qos['/a200_0000/tf_static']['durability'] == 'transient_local'
    assert command[command.index('-o') + 1] == 'bag'


def test_the_topics_are_positional_as_every_rosbag2_takes_them():
    """Humble's `ros2 bag record` has no --topics; Jazzy's takes both."""
    command = record_command(make_config({}), 'bag')
    Path(command[command.index('--qos-profile-overrides-path') + 1]).unlink()
    assert '--topics' not in command
    topics = recorded_topics(make_config({}))
    assert command[-len(topics) :] == topics
    assert command[-len(topics) - 2] == '--qos-profile-overrides-path'


def test_the_huskys_preset_records_the_odometry():
    assert '/platform/odom' in recorded_topics(read_config(CONFIG / 'husky.yaml'))


OUTPUTS = 'pose', 'pose_with_covariance', 'markers', 'match_image'


def test_layouts_show_what_the_node_publishes():
    foxglove = json.loads((CONFIG / 'layouts' / 'placerec.foxglove.json').read_text())
    rviz = yaml.safe_load((CONFIG / 'layouts' / 'placerec.rviz').read_text())
    displays = rviz['Visualization Manager']['Displays']
    shown = {display['Topic']['Value'] for display in displays if 'Topic' in display}
    assert shown >= {f'placerec/{name}' for name in OUTPUTS}
    assert all(f'/placerec/{name}' in json.dumps(foxglove) for name in OUTPUTS)
    panels = json.dumps(foxglove['layout'])
    assert all(f'"{panel}"' in panels for panel in foxglove['configById'])


def localizer(name):
    document = yaml.safe_load((CONFIG / 'localizers' / f'{name}.yaml').read_text())
    ((node, section),) = document.items()
    return node, section['ros__parameters']


def test_the_ekf_fuses_velocities_of_the_odometry_and_poses_of_single_frames():
    _, ekf = localizer('robot_localization_map')
    pose, odometry = (np.array(ekf[f'{name}_config']).reshape(5, 3) for name in ('pose0', 'odom0'))
    assert ekf['pose0'] == 'placerec/pose_with_covariance'
    assert np.argwhere(pose).tolist() == [[0, 0], [0, 1], [1, 2]]  # x, y, yaw
    assert not odometry[:2].any()
    assert ekf['world_frame'] == ekf['map_frame'] != ekf['odom_frame']
    assert ekf['smooth_lagged_data']
    assert ekf['pose0_rejection_threshold'] > 0


def test_the_parameters_for_amcl_are_ours():
    config = read_config(CONFIG / 'localizers' / 'placerec_for_amcl.yaml')
    assert config.initial_pose == 'once'
    assert not config.publish_tf


def test_amcl_gets_a_pose_on_a_reverse_drive_too():
    """Otherwise the most certain poses of the shipped calibration would never be given."""
    config = read_config(CONFIG / 'localizers' / 'placerec_for_amcl.yaml')
    defaults = read_defaults(Path(weights_file('shipped', '.onnx') + SUFFIX))
    (made,) = defaults
    variances = made.reversed_sequence_errors.variances
    assert np.sqrt(variances[-1, :2].max()) <= config.initial_pose_sigma
    assert made.grade == 'proven'


def test_a_lifecycle_manager_waits_for_no_bond():
    _, manager = localizer('lifecycle_manager')
    assert manager['node_names'] == ['placerec']
    assert manager['bond_timeout'] == 0.0


@pytest.mark.parametrize('file', sorted(ROOT.glob('docs/*.md')), ids=lambda file: file.name)
def test_a_document_links_to_files_that_are_there(file):
    for link in re.findall(r'\]\(([^)#]+)', file.read_text(encoding='utf-8')):
        assert '://' in link or (file.parent / link).exists(), link


def test_what_a_document_says_of_files_and_parameters_is_so():
    text = (ROOT / 'docs' / 'robot_installation.md').read_text()
    text += (ROOT / 'docs' / 'feeding_a_localizer.md').read_text()
    files = set(re.findall(r'`(config/[\w./]+)`', text))
    assert files
    assert all((ROOT / name).exists() for name in files)
    known = {name for name, *_ in declarations(['front', 'back'])}
    for name in ('initial_pose', 'measurement_spacing', 'publish_tf', 'threads', 'extractor'):
        assert name in known


@pytest.mark.parametrize('name', ['one_machine', 'robot'])
def test_a_profile_has_shared_memory_for_raw_images(name):
    root = ElementTree.parse(CONFIG / 'fastdds' / f'{name}.xml').getroot()
    space = {'': 'http://www.eprosima.com/XMLSchemas/fastRTPS_Profiles'}
    assert int(root.findtext('.//segment_size', namespaces=space)) == 32 << 20
    used = {each.text for each in root.findall('.//userTransports/transport_id', space)}
    assert used == {'shared_memory', 'udp'}
    assert bool(root.findall('.//initialPeersList', space)) == (name == 'one_machine')


@pytest.mark.ros
@pytest.mark.parametrize('name', ['one_machine', 'robot'])
def test_a_node_with_a_profile_recognises(name, drives, map_path, tmp_path, monkeypatch):
    pytest.importorskip('rclpy')
    from support.domains import new_domain
    from support.robot import HOG, node_process, Robot, scenes_of

    profile = CONFIG / 'fastdds' / f'{name}.xml'
    monkeypatch.setenv('FASTRTPS_DEFAULT_PROFILES_FILE', str(profile))
    robot = Robot(scenes_of(drives[1]), new_domain())
    try:
        with node_process(tmp_path, {**HOG, 'map': str(map_path)}) as process:
            assert robot.found(), process.log()
            assert robot.recovers()
            assert 'XML' not in process.log()
    finally:
        robot.close()
