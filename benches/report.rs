//! The table and its JSON.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::json;

/// Two figures of one run.
pub struct Row {
    pub what: String,
    pub beside: String,
    pub ours: Figure,
    pub theirs: Figure,
    /// What the ratio should not exceed.
    pub aim: Option<f64>,
}

#[derive(Clone, Copy)]
pub enum Figure {
    Time(Duration),
    KiB(u64),
}

impl Figure {
    fn number(self) -> f64 {
        match self {
            Figure::Time(time) => time.as_secs_f64() * 1e3,
            Figure::KiB(size) => size as f64,
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Figure::Time(_) => "ms",
            Figure::KiB(_) => "KiB",
        }
    }

    fn text(self) -> String {
        match self {
            Figure::Time(_) => format!("{:.2} ms", self.number()),
            Figure::KiB(size) => format!("{size} KiB"),
        }
    }
}

impl Row {
    fn ratio(&self) -> f64 {
        self.ours.number() / self.theirs.number()
    }
}

/// Prints the rows, and writes them down.
pub fn print(rows: &[Row]) -> Result<(), String> {
    let head = ["WHAT", "BESIDE", "OURS", "THEIRS", "RATIO", "AIM"].map(str::to_owned);
    let cells = rows.iter().map(|row| {
        let aim = row.aim.map_or("-".to_owned(), |aim| format!("≤ {aim}"));
        [row.what.clone(), row.beside.clone(), row.ours.text(), row.theirs.text(), format!("{:.2}", row.ratio()), aim]
    });
    let lines: Vec<[String; 6]> = std::iter::once(head).chain(cells).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 6] = std::array::from_fn(width);
    for line in &lines {
        let text: Vec<String> = line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        println!("{}", text.join("  ").trim_end());
    }
    let rows: Vec<_> = rows
        .iter()
        .map(|row| {
            json!({
                "what": row.what, "beside": row.beside, "unit": row.ours.unit(), "ours": row.ours.number(),
                "theirs": row.theirs.number(), "ratio": row.ratio(), "aim": row.aim,
            })
        })
        .collect();
    let path = Path::new("target/bench.json");
    let text = serde_json::to_string_pretty(&rows).map_err(|error| error.to_string())?;
    fs::create_dir_all("target")
        .and_then(|()| fs::write(path, text + "\n"))
        .map_err(|error| format!("{}: {error}", path.display()))?;
    println!("\nalso in {}", path.display());
    Ok(())
}
