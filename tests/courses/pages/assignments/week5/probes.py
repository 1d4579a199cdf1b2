def double(student, n):
    return student.sums.double(n)

def half(student, n):
    return student.sums.half(n)
