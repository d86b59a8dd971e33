"""Colors, icons, and the actions of menus and buttons."""
