"""Does what nobody waits for: writes reports, tells what is new, grades again."""
