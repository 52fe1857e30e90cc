"""The published OpenAPI document, and the served emulator held against it."""
