def LeNet():
    raise NotImplementedError('TODO')


def conv_output_size():
    raise NotImplementedError('TODO')
