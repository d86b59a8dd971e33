"""The key that clients show to some servers: where it is kept."""
