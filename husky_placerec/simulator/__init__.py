"""The live simulator: a node that drives on a campus and publishes its sensors."""
