def double(n):
    return 2 * n

def index():
    return 1
