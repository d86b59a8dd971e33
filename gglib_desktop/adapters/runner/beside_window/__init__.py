"""What runs beside a window over the same data directory, and takes no lock of its."""
