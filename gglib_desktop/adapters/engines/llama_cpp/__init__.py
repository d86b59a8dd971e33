"""llama.cpp: finding its server program, asking it what it can do, and asking its servers over HTTP."""
