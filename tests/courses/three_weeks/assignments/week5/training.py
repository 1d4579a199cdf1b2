def train():
    raise NotImplementedError('TODO')


def validate():
    raise NotImplementedError('TODO')


def make_transforms():
    raise NotImplementedError('TODO')
