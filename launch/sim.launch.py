"""
Start a simulated robot on a campus, to be recognised by placerec.launch.py beside it.

    ros2 launch husky_placerec sim.launch.py condition:=winter_dusk drive:=1

It needs the extra [sim]: pip install 'husky_placerec[sim]'.
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

ODOMETRY = 'platform/odom'
ARGUMENTS = {  # type, default, description
    'seed': (int, '1', 'Number of the campus.'),
    'drive': (int, '0', 'Varies start, lateral wander, traffic and phase.'),
    'condition': (str, 'summer_day', 'Season, weather and light.'),
    'protocol': (str, 'standard', 'How hard it is: standard or hard.'),
    'start_m': (float, '0.0', 'Where on the route it begins, in m.'),
    'step_m': (float, '0.5', 'Distance between frames, in m.'),
    'length_m': (float, '300.0', 'Length of the drive, in m.'),
    'reverse': (bool, 'false', 'Drive the same road the other way.'),
    'detour': (bool, 'false', 'Leave the mapped route for about a third.'),
    'identical_cameras': (bool, 'false', "Both cameras as the front one's."),
    'rate': (float, '2.0', 'Frames in a second.'),
}


def generate_launch_description():
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, (_, default, description) in ARGUMENTS.items()
    ]
    namespace = DeclareLaunchArgument(
        'namespace', default_value='', description='Namespace of the robot, such as a200_0000.'
    )
    odometry = DeclareLaunchArgument(
        'odometry', default_value=ODOMETRY, description='Topic of the odometry.'
    )
    parameters = {
        name: ParameterValue(LaunchConfiguration(name), value_type=kind)
        for name, (kind, _, _) in ARGUMENTS.items()
    }
    node = Node(
        package='husky_placerec',
        executable='simulator_node',
        name='simulator',
        namespace=LaunchConfiguration('namespace'),
        output='screen',
        parameters=[parameters],
        remappings=[
            ('/tf', 'tf'),
            ('/tf_static', 'tf_static'),
            (ODOMETRY, LaunchConfiguration('odometry')),
        ],
    )
    return LaunchDescription([*declared, namespace, odometry, node])
