"""A submission with a fault of each kind."""
def double(n):
    return 3 * n

def index():
    return helper([])

def helper(values):
    return values[2]
