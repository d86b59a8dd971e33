"""Starts, stops, freezes and kills at random, also the program itself, and compares what it shows with the system."""
