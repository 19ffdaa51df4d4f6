"""渠道会话: what platforms send us, answered once, in time, from what is published."""
