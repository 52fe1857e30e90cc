"""What could be done about a plan that does not fit, thought of before it is tried."""
