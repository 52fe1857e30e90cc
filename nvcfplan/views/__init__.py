"""What people read. Imported by module."""
