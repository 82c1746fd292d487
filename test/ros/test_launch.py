"""The launch files, where ROS's launch is installed."""

from pathlib import Path

from launch import LaunchContext, LaunchDescription, LaunchService
from launch.actions import ExecuteProcess, IncludeLaunchDescription, OpaqueFunction
from launch.launch_description_sources import (
    get_launch_description_from_python_launch_file,
    PythonLaunchDescriptionSource,
)
from launch.utilities import perform_substitutions
from launch_ros.actions import Node
import pytest

NEEDS = ('launch_ros',)

LAUNCH = Path(__file__).parents[2] / 'launch'
ARGUMENTS = {
    'placerec': {
        *('map', 'cameras', 'config', 'namespace', 'autostart', 'use_sim_time', 'fastdds'),
        *('rviz', 'log_level', 'odometry'),
    },
    'replay': {'bag', 'map', 'rate', 'loop', 'cameras', 'rviz', 'odometry'},
    'record': {'output', 'cameras', 'config', 'namespace', 'poses', 'odometry'},
    'sim': {'seed', 'condition', 'drive', 'rate', 'namespace', 'odometry'},
}


@pytest.fixture(autouse=True)
def installed(tmp_path, monkeypatch):
    """Make this package one that ament finds, where it is not installed."""
    marker = tmp_path / 'share' / 'ament_index' / 'resource_index' / 'packages' / 'husky_placerec'
    marker.parent.mkdir(parents=True)
    marker.touch()
    (tmp_path / 'share' / 'husky_placerec').symlink_to(LAUNCH.parent)
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path))


def described(name):
    return get_launch_description_from_python_launch_file(str(LAUNCH / f'{name}.launch.py'))


def given(description, **values):
    """Return a context with these values, and the defaults of all other arguments."""
    context = LaunchContext()
    context.launch_configurations.update(values)
    for argument in description.get_launch_arguments():
        if argument.name not in values and argument.default_value is not None:
            value = perform_substitutions(context, argument.default_value)
            context.launch_configurations[argument.name] = value
    return context


def nodes(description, executable, context=None):
    """Return the nodes of an executable, also those that a function of the description makes."""
    found = [entity for entity in description.entities if isinstance(entity, Node)]
    for entity in description.entities:
        if isinstance(entity, OpaqueFunction) and context is not None:
            found += entity.execute(context)
    return [node for node in found if node.node_executable == executable]


def parameters(node, context):
    """Return the text of the parameters that are given beside the file."""
    node._perform_substitutions(context)
    *_, (last, _) = node._Node__expanded_parameter_arguments
    return Path(last).read_text()


@pytest.mark.parametrize('name', ARGUMENTS)
def test_every_argument_is_there_and_explained(name):
    arguments = {each.name: each for each in described(name).get_launch_arguments()}
    assert set(arguments) >= ARGUMENTS[name]
    assert all(argument.description for argument in arguments.values())


@pytest.mark.parametrize('name', ARGUMENTS)
def test_the_examples_in_a_file_name_arguments_that_it_has(name):
    text = (LAUNCH / f'{name}.launch.py').read_text().split('"""')[1]
    named = {word.split(':=')[0] for word in text.split() if ':=' in word}
    assert named
    assert named <= {each.name for each in described(name).get_launch_arguments()}


@pytest.mark.parametrize('cameras', ['husky', 'clearpath'])
def test_the_cameras_choose_the_parameters(cameras):
    description = described('placerec')
    context = given(description, map='campus.map', cameras=cameras)
    config = Path(context.launch_configurations['config'])
    assert config.name == f'{cameras}.yaml'
    assert config.is_file()
    assert len(nodes(description, 'placerec_node', context)) == 1


def test_an_argument_wins_over_the_file_and_the_namespace_holds_the_transforms():
    description = described('placerec')
    context = given(description, map='campus.map', namespace='a200_0000', use_sim_time='true')
    (node,) = nodes(description, 'placerec_node', context)
    text = parameters(node, context)
    assert node.expanded_node_namespace == '/a200_0000'
    assert ('/tf', 'tf') in node.expanded_remapping_rules
    assert 'map: campus.map' in text
    assert 'use_sim_time: true' in text


@pytest.mark.parametrize('topic', ['', 'odometry/filtered'])
def test_the_odometry_is_that_of_the_file_unless_it_is_given(topic):
    description = described('placerec')
    context = given(description, map='campus.map', odometry=topic)
    (node,) = nodes(description, 'placerec_node', context)
    assert ('odometry_topic: odometry/filtered' in parameters(node, context)) == bool(topic)


def test_a_parameter_file_that_is_missing_is_named():
    description = described('placerec')
    context = given(description, map='campus.map', config='missing.yaml')
    with pytest.raises(RuntimeError, match=r'config: missing\.yaml is no file; expected'):
        nodes(description, 'placerec_node', context)


@pytest.mark.parametrize('name', ['placerec', 'replay'])
def test_without_rviz_nothing_is_left_behind(name, tmp_path, caplog):
    """The launch ends with a sentence before it starts the node, which would be an orphan."""
    started, folder = tmp_path / 'started', tmp_path / 'lib' / 'husky_placerec'
    folder.mkdir(parents=True)
    for executable in ('placerec_node', 'placerec'):
        (folder / executable).write_text(f'#!/bin/sh\ntouch {started}\nsleep 60\n')
        (folder / executable).chmod(0o755)
    values = {'map': 'campus.map', 'bag': 'drive', 'rviz': 'true'}
    service = LaunchService()
    file = PythonLaunchDescriptionSource(str(LAUNCH / f'{name}.launch.py'))
    included = IncludeLaunchDescription(file, launch_arguments=values.items())
    service.include_launch_description(LaunchDescription([included]))
    assert service.run() == 1
    assert not started.exists()
    assert 'rviz2 is not installed; apt install' in caplog.text


@pytest.mark.parametrize('profile', ['one_machine', 'robot'])
def test_a_profile_of_the_middleware_is_a_file(profile):
    description = described('placerec')
    context = given(description, map='campus.map', fastdds=profile)
    for entity in description.entities:
        if type(entity).__name__ == 'SetEnvironmentVariable':
            entity.visit(context)
    assert Path(context.environment['FASTRTPS_DEFAULT_PROFILES_FILE']).is_file()


@pytest.mark.parametrize(('loop', 'option'), [('true', '--loop'), ('false', '--no-loop')])
def test_a_replay_plays_the_bag_to_a_node_with_its_time(loop, option):
    description = described('replay')
    context = given(description, bag='drive_2', map='campus.map', rate='4', loop=loop)
    (player,) = [e for e in description.entities if type(e) is ExecuteProcess]
    (included,) = [e for e in description.entities if isinstance(e, IncludeLaunchDescription)]
    command = [perform_substitutions(context, part) for part in player.cmd]
    assert command[1:5] == ['play', 'drive_2', '--clock', '--wait']
    assert option in command
    assert command[-2:] == ['--rate', '4']
    forwarded = dict(included.launch_arguments)
    assert forwarded['use_sim_time'] == 'true'
    assert set(forwarded) <= ARGUMENTS['placerec']


def test_recording_names_the_robots_topics(tmp_path):
    description = described('record')
    values = {'output': 'bag', 'cameras': 'clearpath', 'namespace': 'a200_0000', 'poses': 'fix'}
    context = given(description, **values)
    (opaque,) = [e for e in description.entities if type(e).__name__ == 'OpaqueFunction']
    (process,) = opaque.execute(context)
    command = [perform_substitutions(context, part) for part in process.cmd]
    assert command[:3] == ['ros2', 'bag', 'record']
    assert '/a200_0000/sensors/camera_0/color/compressed' in command
    assert '/a200_0000/fix' in command
    assert '--topics' not in command  # unknown to the rosbag2 of Humble


def test_recording_takes_the_odometry_that_is_given():
    description = described('record')
    context = given(description, output='bag', odometry='my/odom')
    (opaque,) = [e for e in description.entities if type(e).__name__ == 'OpaqueFunction']
    (process,) = opaque.execute(context)
    command = [perform_substitutions(context, part) for part in process.cmd]
    assert '/my/odom' in command
    assert '/platform/odom' not in command


def test_the_simulated_robot_is_started():
    description = described('sim')
    context = given(description, odometry='wheels')
    (node,) = nodes(description, 'simulator_node')
    node._perform_substitutions(context)
    assert ('platform/odom', 'wheels') in node.expanded_remapping_rules
