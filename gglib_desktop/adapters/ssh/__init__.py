"""Other computers, reached over ssh."""
