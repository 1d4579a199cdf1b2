def train():
    return 'trained'
