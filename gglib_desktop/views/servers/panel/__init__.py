"""The panel of one server: each part shows its share of the state."""
