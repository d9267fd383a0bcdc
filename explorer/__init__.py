"""A visual explorer of deep learning: readable models, a tracer, a stepper and the views around them."""
