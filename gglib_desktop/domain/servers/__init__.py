"""The configuration of a server, the states of its life, and the reasons for its end."""
