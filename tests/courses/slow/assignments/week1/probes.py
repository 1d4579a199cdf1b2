import time

def double(student, n):
    time.sleep(0.04)
    return student.work.double(n)
