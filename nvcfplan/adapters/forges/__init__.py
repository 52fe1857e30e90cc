"""Where plans are read: pull requests on GitHub, merge requests on GitLab."""
