//! Columns of text.

use clap::builder::styling::Style;

use super::style::{self, Palette};

/// A table, row by row.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<Vec<(Style, String)>>,
}

impl Table {
    /// A table with a heading over each column.
    pub fn with_heading(heading: &[&str]) -> Table {
        let mut table = Table::default();
        table.row(heading.iter().map(|&name| (style::HEADING, name.to_owned())).collect());
        table
    }

    pub fn row(&mut self, cells: Vec<(Style, String)>) {
        self.rows.push(cells);
    }

    /// Its text: each column as wide as its widest cell, two spaces between, none at the end.
    pub fn render(&self, palette: Palette) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|(_, text)| text.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut out = String::new();
        for row in &self.rows {
            let last = row.iter().rposition(|(_, text)| !text.is_empty()).map_or(0, |last| last + 1);
            for (column, (style, text)) in row[..last].iter().enumerate() {
                out.push_str(&palette.paint(*style, text));
                if column + 1 < last {
                    // Only what is printed is padded: escape sequences have no width.
                    let padding = widths[column] - text.chars().count() + 2;
                    out.extend(std::iter::repeat_n(' ', padding));
                }
            }
            out.push('\n');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_lines_end_at_their_text() {
        let mut table = Table::with_heading(&["A", "LONG", "C"]);
        let plain = |text: &str| (style::PLAIN, text.to_owned());
        table.row(vec![plain("über"), plain(""), plain("x")]);
        table.row(vec![plain("y"), plain("z"), plain("")]);
        assert_eq!(table.render(Palette::off()), "A     LONG  C\nüber        x\ny     z\n");
    }
}
