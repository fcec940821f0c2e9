"""The attack engine. TextAttack runs the attacks; this package makes them fast, traceable, cancellable and able to run offline."""
