"""The dialog Details…, page by page."""
