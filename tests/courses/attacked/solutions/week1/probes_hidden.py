def classes(student, images):
    return student.work.classes(images)
