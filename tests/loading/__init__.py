"""The way from stack files to a desired stack."""
