"""Find, prevent, merge and undo duplicates of people, companies and deals."""
