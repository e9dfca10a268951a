//! One struct per file in `prompts/`.
