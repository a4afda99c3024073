//! What the collaborative model is trained on.

pub mod feedback_log;
