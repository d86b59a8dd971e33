"""A simulation: no process is started and no port is opened."""
