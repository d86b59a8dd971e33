"""What only the panels of routers have."""
