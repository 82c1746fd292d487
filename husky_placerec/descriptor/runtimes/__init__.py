"""Programs that run an exported network, behind one interface, and the choice among them."""
