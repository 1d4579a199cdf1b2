def one(student, n):
    return student.lenet.one(n)
