"""A model over several computers, by llama.cpp's RPC."""
