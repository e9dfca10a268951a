//! Markdown from a model, made into the platform's dialect.

/// Turns a finished text of the model into the platform's dialect.
pub fn to_dialect(markdown: &str) -> String {
    unimplemented!("{}", markdown.len())
}

/// As [`to_dialect`], for a text that is still being written.
pub fn to_dialect_streaming(markdown: &str) -> String {
    unimplemented!("{}", markdown.len())
}

/// Cuts dialect text into parts that each fit one card.
pub fn split(dialect: &str, bytes_max: usize, tables_max: usize) -> Vec<String> {
    unimplemented!("{} {bytes_max} {tables_max}", dialect.len())
}

/// Any text as dialect that shows exactly that text, on one line.
pub fn escape(text: &str) -> String {
    unimplemented!("{}", text.len())
}
