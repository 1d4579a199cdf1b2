def double(student, n):
    return student.work.double(n)
