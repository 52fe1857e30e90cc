"""State, journal and saved plans on this machine."""
