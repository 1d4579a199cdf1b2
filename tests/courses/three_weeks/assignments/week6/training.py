def train():
    raise NotImplementedError('TODO')


def evaluate():
    raise NotImplementedError('TODO')


def fit():
    raise NotImplementedError('TODO')


def epoch_time():
    raise NotImplementedError('TODO')
