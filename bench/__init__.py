"""Paired measurements of whole processes: they print, they never judge by the clock."""
