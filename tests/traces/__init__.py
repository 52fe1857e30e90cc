"""What NVIDIA's Go clients send, read from their sources, replayed."""
