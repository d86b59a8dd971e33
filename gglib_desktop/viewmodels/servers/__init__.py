"""One server with its log, and the servers of other programs."""
