def double(n):
    return 2 * n


def half(n):
    return n / 2
