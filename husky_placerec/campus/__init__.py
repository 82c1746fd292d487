"""A simulated campus, to try the package without a robot (extra `[sim]`)."""
