//! Columns of text.

use std::borrow::Cow;

use clap::builder::styling::Style;

use super::style::{self, Palette};
use super::wrap::wrap;

/// A table, row by row.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<Vec<(Style, String)>>,
    /// Is the first row a heading?
    heading: bool,
    /// The columns whose text stands at the right.
    right: Vec<usize>,
    /// Does one space between columns do, not two?
    dense: bool,
    /// How wide it may get.
    width: Option<usize>,
    /// Are there sentences in the last column, which rather take several lines than lose their end?
    prose: bool,
}

impl Table {
    /// A table with a heading over each column.
    pub fn with_heading(heading: &[&str]) -> Table {
        let mut table = Table { heading: true, ..Table::default() };
        table.row(heading.iter().map(|&name| (style::HEADING, name.to_owned())).collect());
        table
    }

    pub fn row(&mut self, cells: Vec<(Style, String)>) {
        self.rows.push(cells);
    }

    /// With one space between columns.
    pub fn dense(mut self) -> Table {
        self.dense = true;
        self
    }

    /// With sentences in the last column.
    pub fn prose(mut self) -> Table {
        self.prose = true;
        self
    }

    /// With these columns at the right.
    pub fn align_right(mut self, columns: impl IntoIterator<Item = usize>) -> Table {
        self.right.extend(columns);
        self
    }

    /// With or without its heading.
    pub fn legend(mut self, legend: bool) -> Table {
        if !legend && std::mem::take(&mut self.heading) {
            self.rows.remove(0);
        }
        self
    }

    /// No wider than the terminal, if it is to fit one.
    pub fn fit(mut self, width: Option<usize>) -> Table {
        self.width = width;
        self
    }

    /// Its text: each column as wide as its widest cell, none at the end.
    pub fn render(&self, palette: Palette) -> String {
        let gap = if self.dense { 1 } else { 2 };
        let widths = self.widths(gap);
        let mut out = String::new();
        for row in self.lines(&widths).iter() {
            let last = row.iter().rposition(|(_, text)| !text.is_empty()).map_or(0, |last| last + 1);
            for (column, (style, text)) in row[..last].iter().enumerate() {
                let text = ellipsize(text, widths[column]);
                // Only what is printed is padded: escape sequences have no width.
                let padding = || std::iter::repeat_n(' ', widths[column].saturating_sub(text.chars().count()));
                let right = self.right.contains(&column);
                if right {
                    out.extend(padding());
                }
                out.push_str(&palette.paint(*style, &text));
                if column + 1 < last {
                    if !right {
                        out.extend(padding());
                    }
                    out.extend(std::iter::repeat_n(' ', gap));
                }
            }
            out.push('\n');
        }
        out
    }

    /// The rows, those of several lines taken apart.
    fn lines(&self, widths: &[usize]) -> Cow<'_, [Vec<(Style, String)>]> {
        let Some(last) = widths.len().checked_sub(1).filter(|_| self.prose) else { return Cow::Borrowed(&self.rows) };
        let lines = |row: &Vec<(Style, String)>| -> Vec<Vec<(Style, String)>> {
            let Some((style, text)) = row.get(last) else { return vec![row.clone()] };
            let mut lines = wrap(text, Some(widths[last])).into_iter().map(|line| (*style, line));
            let first = row[..last].iter().cloned().chain(lines.next()).collect();
            let empty = || vec![(style::PLAIN, String::new()); last];
            let more = lines.map(|line| empty().into_iter().chain([line]).collect());
            [first].into_iter().chain(more).collect()
        };
        Cow::Owned(self.rows.iter().flat_map(lines).collect())
    }

    /// How wide each column gets. Where all together are too wide, the widest gives way.
    fn widths(&self, gap: usize) -> Vec<usize> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|(_, text)| text.chars().count()).max().unwrap_or(0)
        };
        let mut widths: Vec<usize> = (0..columns).map(width).collect();
        let Some(limit) = self.width else { return widths };
        // Below that nothing can be recognized any more; then lines are too long, and the terminal breaks them.
        const LEAST: usize = 8;
        let excess =
            |widths: &[usize]| (widths.iter().sum::<usize>() + gap * columns.saturating_sub(1)).saturating_sub(limit);
        while excess(&widths) > 0 {
            let Some(widest) =
                (0..columns).max_by_key(|&column| widths[column]).filter(|&column| widths[column] > LEAST)
            else {
                break;
            };
            let next = (0..columns).filter(|&column| column != widest).map(|column| widths[column]).max().unwrap_or(0);
            let least = next.max(LEAST).min(widths[widest] - 1);
            widths[widest] = widths[widest].saturating_sub(excess(&widths)).max(least);
        }
        widths
    }
}

/// The text, or its beginning and an ellipsis.
fn ellipsize(text: &str, width: usize) -> String {
    match text.char_indices().nth(width) {
        None => text.to_owned(),
        Some(_) => text.chars().take(width.saturating_sub(1)).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> (Style, String) {
        (style::PLAIN, text.to_owned())
    }

    #[test]
    fn columns_line_up_and_lines_end_at_their_text() {
        let mut table = Table::with_heading(&["A", "LONG", "C"]);
        table.row(vec![plain("über"), plain(""), plain("x")]);
        table.row(vec![plain("y"), plain("z"), plain("")]);
        assert_eq!(table.render(Palette::off()), "A     LONG  C\nüber        x\ny     z\n");
    }

    #[test]
    fn numbers_stand_at_the_right_and_the_heading_may_go() {
        let mut table = Table::with_heading(&["N", "NAME"]).dense().align_right([0]);
        table.row(vec![plain("7"), plain("a")]);
        table.row(vec![plain("123"), plain("b")]);
        assert_eq!(table.legend(false).render(Palette::off()), "  7 a\n123 b\n");
    }

    #[test]
    fn the_widest_column_gives_way_to_the_terminal() {
        let mut table = Table::with_heading(&["NAME", "TEXT"]).fit(Some(24));
        table.row(vec![plain("a-name"), plain("a description that is long")]);
        assert_eq!(table.render(Palette::off()), "NAME    TEXT\na-name  a description t…\n");
        let mut table = Table::with_heading(&["NAME", "WHY"]).prose().fit(Some(24));
        table.row(vec![plain("a-name"), plain("a reason that is long")]);
        assert_eq!(table.render(Palette::off()), "NAME    WHY\na-name  a reason that is\n        long\n");
        let mut narrow = Table::default().fit(Some(3));
        narrow.row(vec![plain("0123456789"), plain("0123456789")]);
        assert_eq!(narrow.render(Palette::off()), "0123456…  0123456…\n", "it is never cut to nothing");
    }
}
