"""What a menu means: its actions, the reference walk, and the state machine that is compiled and published."""
