"""Templates of scaffolded projects, as data of a package."""
