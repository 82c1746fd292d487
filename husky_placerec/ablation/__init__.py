"""What each part of a descriptor is worth: networks that differ in one, trained and measured."""
