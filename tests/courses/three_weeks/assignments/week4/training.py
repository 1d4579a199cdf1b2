def train():
    raise NotImplementedError('TODO')


def validate():
    raise NotImplementedError('TODO')


def fit():
    raise NotImplementedError('TODO')


def set_seed():
    raise NotImplementedError('TODO')
