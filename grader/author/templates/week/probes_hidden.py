"""Probes of $WEEK's hidden checks."""


def gradient(student, predictions, targets):
    """The gradient of the student's error with respect to the predictions; None where nothing flows."""
    predictions = predictions.clone().requires_grad_()
    error = student.exercise.mean_squared_error(predictions, targets)
    if getattr(error, "requires_grad", False):
        error.backward()
    return predictions.grad
