"""What people and machines call: argv in, one workflow, one report, one exit code."""
