"""From recorded operations to a rule: what a subject does, with the places it came from. It knows no framework."""
