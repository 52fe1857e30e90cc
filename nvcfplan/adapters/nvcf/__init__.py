"""NVIDIA Cloud Functions over HTTP: reading, one request a step, and what its answers mean."""
