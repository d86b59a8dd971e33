"""The key that clients of some servers must show: where it is kept."""
