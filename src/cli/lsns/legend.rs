//! `--list-columns`: which columns there are, and what they tell.

use serde::Serialize;

use super::column::Column;
use super::print::raw;

/// All of them, under the names that lsns(8) has in JSON.
#[derive(Debug, Serialize)]
pub struct Legend {
    #[serde(rename = "lsns-columns")]
    columns: Vec<Told>,
}

#[derive(Debug, Serialize)]
struct Told {
    holder: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    description: &'static str,
}

impl Legend {
    pub fn new() -> Legend {
        let told = |column: Column| {
            let kind = if column.is_number() { "<integer>" } else { "<string>" };
            Told { holder: column.name(), kind, description: column.help() }
        };
        Legend { columns: Column::ALL.map(told).into() }
    }

    pub fn text(&self) -> String {
        let line = |told: &Told| format!("{:>8} {:<9} {}\n", told.holder, told.kind, told.description);
        self.columns.iter().map(line).collect()
    }

    /// Three words a line.
    pub fn raw(&self) -> String {
        let line = |told: &Told| format!("{} {} {}\n", told.holder, told.kind, raw(told.description));
        self.columns.iter().map(line).collect()
    }
}
