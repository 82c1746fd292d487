"""The cameras of a robot: intrinsics, distortion, mounting, and the view that all shall share."""
