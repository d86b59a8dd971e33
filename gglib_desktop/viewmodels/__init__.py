"""What each screen shows and can do, as QObjects that a test drives without a widget."""
