"""What talks to the outside: each folder implements ports of the rooms above."""
