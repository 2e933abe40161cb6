"""{{ cookiecutter.title }}."""
