import helper_retry_state

if not helper_retry_state.ready:
    raise ValueError("not ready")
value = "imported"
