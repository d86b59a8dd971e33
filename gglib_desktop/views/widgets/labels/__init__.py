"""Labels that fit their text into the available room."""
