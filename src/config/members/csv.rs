//! A table as spreadsheets write it: fields between commas, quotes around what holds one, lines that end
//! either way. It knows nothing of members.

/// One row, and where it begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Its first line, counted from one.
    pub(super) line: usize,
    /// Its fields, without spaces around.
    pub(super) fields: Vec<String>,
}

/// The rows that hold anything. `Err` is the line in which a quote begins that never ends.
pub(super) fn rows(text: &str) -> Result<Vec<Row>, usize> {
    let mut reader = Reader::default();
    let mut chars = text.strip_prefix('\u{feff}').unwrap_or(text).chars();
    while let Some(c) = chars.next() {
        match (c, reader.quoted_since) {
            // Two quotes inside of quotes are one that is meant.
            ('"', Some(_)) if chars.as_str().starts_with('"') => {
                chars.next();
                reader.field.push('"');
            }
            ('"', Some(_)) => reader.quoted_since = None,
            ('"', None) if reader.field.trim().is_empty() => {
                reader.field.clear();
                reader.quoted_since = Some(reader.line);
            }
            (',', None) => reader.end_field(),
            ('\n', None) => reader.end_row(),
            (c, _) => reader.take(c),
        }
    }
    if let Some(line) = reader.quoted_since {
        return Err(line);
    }
    reader.end_row();
    Ok(reader.rows)
}

struct Reader {
    rows: Vec<Row>,
    fields: Vec<String>,
    field: String,
    line: usize,
    row_line: usize,
    quoted_since: Option<usize>,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            fields: Vec::new(),
            field: String::new(),
            line: 1,
            row_line: 1,
            quoted_since: None,
        }
    }
}

impl Reader {
    fn take(&mut self, c: char) {
        if c == '\n' {
            self.line += 1;
        }
        self.field.push(c);
    }

    fn end_field(&mut self) {
        self.fields.push(self.field.trim().to_owned());
        self.field.clear();
    }

    fn end_row(&mut self) {
        self.end_field();
        let fields = std::mem::take(&mut self.fields);
        if fields.iter().any(|field| !field.is_empty()) {
            self.rows.push(Row {
                line: self.row_line,
                fields,
            });
        }
        self.line += 1;
        self.row_line = self.line;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(usize, &[&str])]) {
        let rows = rows(text).unwrap();
        let rows: Vec<(usize, Vec<&str>)> = rows
            .iter()
            .map(|row| (row.line, row.fields.iter().map(String::as_str).collect()))
            .collect();
        let expected: Vec<(usize, Vec<&str>)> = expected
            .iter()
            .map(|(line, fields)| (*line, fields.to_vec()))
            .collect();
        assert_eq!(rows, expected, "{text:?}");
    }

    #[test]
    fn tables_are_read_as_spreadsheets_write_them() {
        check("a,b\nc,d", &[(1, &["a", "b"]), (2, &["c", "d"])]);
        check(
            "\u{feff}姓名,邮箱\r\n李雷,\r\n",
            &[(1, &["姓名", "邮箱"]), (2, &["李雷", ""])],
        );
        check(
            "\"a,b\", \"say \"\"hi\"\"\"\n",
            &[(1, &["a,b", "say \"hi\""])],
        );
        check(
            "\"two\nlines\",x\n\n,,\nc",
            &[(1, &["two\nlines", "x"]), (5, &["c"])],
        );
        check("a\"b\"", &[(1, &["a\"b\""])]);
        check("", &[]);
    }

    #[test]
    fn a_quote_that_never_ends_is_told_by_its_line() {
        assert_eq!(rows("a\nb,\"c\nd\n"), Err(2));
    }
}
