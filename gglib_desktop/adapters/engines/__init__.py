"""Inference server programs: finding them and asking what they can do."""
