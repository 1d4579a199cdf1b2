def FCNN():
    raise NotImplementedError('TODO')


def derivative():
    raise NotImplementedError('TODO')
