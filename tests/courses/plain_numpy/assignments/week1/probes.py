"""What week 1's public checks ask of the student's code."""


def means(student, values, width):
    """The running means of these values."""
    return student.windows.running_mean(values, width)


def rows(student, table):
    """The table with each row standardised."""
    return student.windows.standardised(table)
