"""Results for other viewers: Rerun, and Foxglove by MCAP."""
