"""Lines of measured values, painted by us: the chart modules of Qt have another license."""
