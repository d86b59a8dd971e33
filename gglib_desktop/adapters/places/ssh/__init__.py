"""Another computer as a place for servers, over ssh."""
