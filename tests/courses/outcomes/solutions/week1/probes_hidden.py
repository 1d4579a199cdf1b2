def double(student, number):
    return student.lenet.double(number)
