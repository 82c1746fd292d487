"""From images to descriptors: preprocessing, networks, pooling, fusion and whitening."""
