def VGG():
    raise NotImplementedError('TODO')
