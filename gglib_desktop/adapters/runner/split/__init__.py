"""One model over several computers."""
