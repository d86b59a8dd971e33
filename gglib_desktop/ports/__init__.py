"""The Protocols that services need."""
