"""The simulated robot as a ROS node: it drives on a campus and publishes its sensor data."""
