//! The README's tables say what the tables of directives and keys say.

use unitcell::cell::DIRECTIVES;
use unitcell::cell::directive::Native;
use unitcell::netns::description::{KEYS, Key};

fn rows() -> String {
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
    DIRECTIVES.iter().map(row).collect()
}

fn rows_of_netns() -> String {
    let row = |key: &Key| {
        let value = key.value.replace('|', "\\|");
        format!("| `[{}]` | `{}=` | {value} | {} |\n", key.section().name(), key.name, key.summary)
    };
    KEYS.iter().map(row).collect()
}

#[test]
fn readme_has_the_tables_of_directives_and_keys() {
    table("| directive | value | native from | what it asks for |\n", &rows());
    table("| section | key | value | what it asks for |\n", &rows_of_netns());
}

/// The table below this line has these rows. UNITCELL_BLESS=1 writes them in the place of others.
fn table(titles: &str, rows: &str) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let head = format!("{titles}| --- | --- | --- | --- |\n");
    let start = readme.find(&head).expect("the table's head") + head.len();
    let end = start + readme[start..].find("\n\n").expect("the table's end") + 1;
    if readme[start..end] == *rows {
        return;
    }
    assert_eq!(std::env::var("UNITCELL_BLESS").as_deref(), Ok("1"), "README.md should have these rows:\n{rows}");
    std::fs::write(path, [&readme[..start], rows, &readme[end..]].concat()).unwrap();
}
