"""What the doctor of web finds, each problem by its cause."""
