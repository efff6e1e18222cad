//! The options of `ip`, which are one dash and a word that may be cut short, in ours.

use std::ffi::OsString;

/// Rewrites a command line for `netns` that is written as for `ip`: `-all netns exec …` becomes
/// `netns --all exec …`. Any other stays as it is, and so does all that follows the verb.
pub fn rewrite(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    let is_option = |word: &OsString| word.to_str().is_some_and(|word| word.len() > 1 && word.starts_with('-'));
    let (mut ours, mut theirs, mut json, mut pretty) = (Vec::new(), Vec::new(), false, false);
    let mut seen = false;
    let mut at = 1;
    while let Some(word) = arguments.get(at) {
        let value = || arguments.get(at + 1).cloned();
        match word.to_str().and_then(meaning) {
            Some(Meaning::All) => theirs.push("--all".into()),
            Some(Meaning::Json) => json = true,
            Some(Meaning::Pretty) => pretty = true,
            Some(Meaning::Netns) => {
                theirs.push("--netns".into());
                theirs.extend(value());
                at += 1;
            }
            None if word == "netns" && !seen => seen = true,
            None if is_option(word) => ours.push(word.clone()),
            None => break,
        }
        at += 1;
    }
    if !seen {
        return arguments;
    }
    if json {
        ours.push(if pretty { "--json=pretty" } else { "--json=short" }.into());
    }
    let rest = arguments.split_off(at.min(arguments.len()));
    let program = arguments.into_iter().take(1);
    program.chain(["netns".into()]).chain(ours).chain(theirs).chain(rest).collect()
}

enum Meaning {
    All,
    Json,
    Pretty,
    Netns,
}

fn meaning(word: &str) -> Option<Meaning> {
    let short = word.strip_prefix('-').filter(|short| !short.is_empty() && !short.starts_with('-'))?;
    let is = |whole: &str| whole.starts_with(short);
    Some(match () {
        () if is("all") => Meaning::All,
        () if is("json") => Meaning::Json,
        () if is("pretty") => Meaning::Pretty,
        () if is("netns") => Meaning::Netns,
        () => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(line: &str) -> String {
        let words = rewrite(line.split_whitespace().map(OsString::from));
        words.iter().map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_ip_takes_is_taken() {
        for (theirs, ours) in [
            ("unitcell netns", "unitcell netns"),
            ("unitcell -all netns exec true -all", "unitcell netns --all exec true -all"),
            ("unitcell -a netns del", "unitcell netns --all del"),
            ("unitcell netns -all del", "unitcell netns --all del"),
            ("unitcell -j netns list", "unitcell netns --json=short list"),
            ("unitcell -j -p netns", "unitcell netns --json=pretty"),
            ("unitcell -js netns -pretty list", "unitcell netns --json=pretty list"),
            ("unitcell -n blue netns list-id", "unitcell netns --netns blue list-id"),
            ("unitcell netns -netns netns list", "unitcell netns --netns netns list"),
            ("unitcell --json netns list", "unitcell netns --json list"),
            ("unitcell netns exec a netns -j", "unitcell netns exec a netns -j"),
        ] {
            assert_eq!(rewritten(theirs), ours);
        }
    }

    #[test]
    fn nobody_else_is_meddled_with() {
        for line in ["unitcell", "unitcell -j show netns", "unitcell -p run netns", "unitcell -n", "unitcell -h"] {
            assert_eq!(rewritten(line), line);
        }
    }
}
