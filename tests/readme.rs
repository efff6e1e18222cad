//! The README's table of directives says what the table of directives says.

use unitcell::cell::DIRECTIVES;
use unitcell::cell::directive::{Meaning, Native};

fn rows() -> String {
    let supported = DIRECTIVES.iter().filter(|row| matches!(row.meaning, Meaning::Set(_)));
    let row = |row: &unitcell::cell::Directive| {
        let native = match row.native {
            Native::Always => "always".to_owned(),
            Native::Since(version) => version.to_string(),
            Native::Never => "never".to_owned(),
            Native::ByValue(words, _) => words.to_owned(),
        };
        let value = row.value.replace('|', "\\|");
        let again = if row.repeatable { "; repeatable" } else { "" };
        format!("| `{}=` | {value}{again} | {native} | {} |\n", row.name, row.summary)
    };
    supported.map(row).collect()
}

#[test]
fn readme_has_the_table_of_directives() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let rows = rows();
    if readme.contains(&rows) {
        return;
    }
    // UNITCELL_BLESS=1 writes the rows in the place of those that stand there.
    let head = "| --- | --- | --- | --- |\n";
    let start = readme.find(head).expect("the table's head") + head.len();
    let end = start + readme[start..].find("\n\n").expect("the table's end") + 1;
    assert_eq!(std::env::var("UNITCELL_BLESS").as_deref(), Ok("1"), "README.md should have these rows:\n{rows}");
    std::fs::write(path, [&readme[..start], &rows, &readme[end..]].concat()).unwrap();
}
