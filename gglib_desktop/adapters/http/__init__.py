"""The program's HTTP connections."""
