def double(student, n):
    return student.work.double(n)


def triple(student, n):
    return student.more.triple(n)
