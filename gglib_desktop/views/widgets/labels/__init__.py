"""Labels that fit their text into the room that there is."""
