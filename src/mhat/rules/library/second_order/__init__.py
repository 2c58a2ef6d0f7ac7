"""Steps that know more than the gradient: the loss, or a Hessian diagonal. It knows no rule."""
