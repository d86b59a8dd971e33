"""The settings in force."""
