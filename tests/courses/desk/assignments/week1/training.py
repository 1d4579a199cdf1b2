def train():
    raise NotImplementedError("TODO 1.2: write the loop")
