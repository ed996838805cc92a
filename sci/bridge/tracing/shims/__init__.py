"""What stands for libraries, builtins and types in the clone's world."""
