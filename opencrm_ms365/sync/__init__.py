"""The shell: reads both sides, asks the core, writes, and notes what it wrote. It has loops and no business rule."""
