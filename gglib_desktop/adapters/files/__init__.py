"""Files that are whole, private, regular or watched."""
