"""The ways to put a new version in the place of an old one, a module for each."""
