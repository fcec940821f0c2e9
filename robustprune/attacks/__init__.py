"""The attack engine: TextAttack does the attacking; here it is made fast, traceable, cancellable and able to work offline."""
