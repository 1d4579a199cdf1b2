"""A small piece of coursework of our own, which the zygote runs once so that forks find everything warm."""
