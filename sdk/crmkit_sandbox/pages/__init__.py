"""The pages for people that all emulated CRMs have: their frame, what they show alike, their words."""
