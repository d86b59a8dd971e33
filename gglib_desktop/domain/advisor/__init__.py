"""Whether drafting pays for a model, and with which settings: what to measure next, and what it shows."""
