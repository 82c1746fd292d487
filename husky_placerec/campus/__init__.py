"""A simulated campus for trying the package without a robot (extra `[sim]`)."""
