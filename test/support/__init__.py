"""What tests share besides fixtures: messages, maps, a robot that talks to a node."""
