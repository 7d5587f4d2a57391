"""Laws, questions and blueprints."""
