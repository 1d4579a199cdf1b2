import work


def triple(n):
    return work.double(n) + n
