"""The simulated robot, live: a node that drives on a campus and publishes what it senses."""
