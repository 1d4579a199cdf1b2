def one(student, n):
    return inner(student, n)

def inner(student, n):
    return student.lenet.one(n)

def of(student, name):
    return WAYS[name](student)

def two(student):
    return student.lenet.two()

WAYS = {"two": two}

def any(student):
    return [eval(name) for name in student.names]
