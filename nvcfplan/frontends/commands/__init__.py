"""One module a command, loaded when it is called for: `--help` pays for none of them."""
