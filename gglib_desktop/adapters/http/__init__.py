"""HTTP as this program speaks it."""
