"""Where to go and as whom: endpoints, credentials and secret values from the environment."""
