"""Faults of the machine: processes killed, disks full, files damaged, clocks that jump, memory that is short, others at the same store."""
