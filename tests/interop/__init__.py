"""NVIDIA's own SDK, as it comes from the package index, against a served emulator: `make interop`.

In an environment of its own: nothing of ours is imported here, and pytest has its own settings.
"""
