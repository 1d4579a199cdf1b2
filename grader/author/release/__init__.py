"""Makes what students and hosts get: skeletons, lessons, the student tree, bundles."""
