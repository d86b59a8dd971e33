"""Files, keys and memory of this computer."""
