//! Rows as text, as raw text and as JSON.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::column::Column;
use super::row::{Row, Table, Value};
use super::tree::{Forest, Place};
use crate::cli::style;
use crate::cli::table;

/// What is to be printed.
pub struct Listing<'t> {
    pub table: &'t Table<'t>,
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
    /// The parent of each row, as an index, where a tree is drawn.
    pub parents: Vec<Option<usize>>,
    /// The column that the tree is drawn in.
    pub tree: Option<Column>,
    /// Are cells of several lines to stand on one, with commas?
    pub on_one_line: bool,
}

impl Listing<'_> {
    /// A tree that stands in no column is a list.
    fn forest(&self) -> Forest {
        match self.tree.filter(|column| self.columns.contains(column)) {
            Some(_) => Forest::new(&self.parents),
            None => Forest::new(&vec![None; self.rows.len()]),
        }
    }

    fn value(&self, row: usize, column: Column) -> Value {
        match self.table.value(self.rows[row], column) {
            Value::Lines(lines) if self.on_one_line => Value::Text(lines.join(",")),
            value => value,
        }
    }

    /// Columns with headings, the way of lsns: one space between.
    pub fn text(&self) -> table::Table {
        let heading: Vec<&str> = self.columns.iter().map(|column| column.name()).collect();
        let is_right = |column: &Column| column.is_right() && self.tree != Some(*column);
        let right = self.columns.iter().enumerate().filter(|(_, column)| is_right(column)).map(|(n, _)| n);
        let mut table = table::Table::with_heading(&heading).dense().align_right(right);
        for place in self.forest().places() {
            self.lines(&place, &mut table);
        }
        table
    }

    fn lines(&self, place: &Place, table: &mut table::Table) {
        let cells: Vec<Vec<String>> = self.columns.iter().map(|&column| self.cell(place, column)).collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(1).max(1);
        for line in 0..height {
            let text = |(cell, column): (&Vec<String>, &Column)| {
                let text = cell.get(line).map(|text| printable(text)).unwrap_or_default();
                match self.tree == Some(*column) {
                    true if line == 0 => format!("{}{text}", place.prefix),
                    true => place.continued.clone(),
                    false => text,
                }
            };
            let row = cells.iter().zip(&self.columns).map(text).map(|text| (style::PLAIN, text));
            table.row(row.collect());
        }
    }

    fn cell(&self, place: &Place, column: Column) -> Vec<String> {
        match self.value(place.row, column) {
            Value::None => vec![String::new()],
            Value::Number(number) => vec![number.to_string()],
            Value::Text(text) => vec![text],
            Value::Lines(lines) => lines,
        }
    }

    /// One space between, and none within: what is no visible character is written as `\xNN`.
    pub fn raw(&self, heading: bool) -> String {
        let mut out = String::new();
        if heading {
            let names: Vec<&str> = self.columns.iter().map(|column| column.name()).collect();
            out.push_str(&names.join(" "));
            out.push('\n');
        }
        for place in self.forest().places() {
            let cell = |&column: &Column| {
                let prefix = if self.tree == Some(column) { place.prefix.as_str() } else { "" };
                raw(&format!("{prefix}{}", self.cell(&place, column).join(",")))
            };
            let cells: Vec<String> = self.columns.iter().map(cell).collect();
            out.push_str(&cells.join(" "));
            out.push('\n');
        }
        out
    }
}

/// As lsns has it: an object a row, in the order of the columns, children within.
impl Serialize for Listing<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let forest = self.forest();
        let rows: Vec<Object> =
            forest.roots.iter().map(|&row| Object { listing: self, forest: &forest, row }).collect();
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("namespaces", &rows)?;
        map.end()
    }
}

struct Object<'l> {
    listing: &'l Listing<'l>,
    forest: &'l Forest,
    row: usize,
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for &column in &self.listing.columns {
            let key = column.key();
            match self.listing.value(self.row, column) {
                Value::None => map.serialize_entry(&key, &()),
                Value::Number(number) => map.serialize_entry(&key, &number),
                Value::Text(text) => map.serialize_entry(&key, &text),
                Value::Lines(lines) => map.serialize_entry(&key, &lines.join(",")),
            }?;
        }
        let children = &self.forest.children[self.row];
        if !children.is_empty() {
            let children: Vec<Object> = children.iter().map(|&row| Object { row, ..*self }).collect();
            map.serialize_entry("children", &children)?;
        }
        map.end()
    }
}

/// The text without what would steer the terminal.
fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        if char.is_control() {
            char.to_string().bytes().for_each(|byte| out.push_str(&format!("\\x{byte:02x}")));
        } else {
            out.push(char);
        }
    }
    out
}

/// Without a character that ends a word.
pub fn raw(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'!'..=b'~' if byte != b'\\' => out.push(char::from(byte)),
            byte => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_text_has_no_white_space() {
        assert_eq!(raw("├─a b"), "\\xe2\\x94\\x9c\\xe2\\x94\\x80a\\x20b");
        assert_eq!(raw("a\nb\\n"), "a\\x0ab\\x5cn");
        assert_eq!(raw(""), "");
    }

    #[test]
    fn what_would_steer_the_terminal_is_escaped() {
        assert_eq!(printable("a\x1b[31mb\u{fffd} ä\n"), "a\\x1b[31mb\u{fffd} ä\\x0a");
    }
}
