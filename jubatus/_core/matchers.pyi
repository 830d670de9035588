"""Which keys a rule of the converter, or a pattern of an unlearner, is meant for."""
