"""Größen von Feature-Maps."""

__all__ = ["conv_output_size", "pool_output_size"]


def conv_output_size(size, kernel_size, stride=1, padding=0):
    """Größe nach einer Faltung."""
    return int((size + 2 * padding - kernel_size) / stride + 1)


def pool_output_size(size, kernel_size, stride=None, padding=0):
    """Größe nach dem Pooling; die Schrittweite ist sonst die Fenstergröße."""
    stride = {None: kernel_size}.get(stride, stride)
    return conv_output_size(size, kernel_size, stride, padding)
