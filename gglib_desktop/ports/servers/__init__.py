"""Running servers: starting, observing, finding and asking them, and the engines that serve."""
