//! `unitcell lsns` beside that of util-linux, on 5,000 processes in 500 namespaces.

use std::process::Command;

use nix::sched::CloneFlags;
use serde_json::Value;

use crate::apart::apart;
use crate::measure::{Contender, medians};
use crate::programs::Programs;
use crate::report::{Figure, Row};

pub fn measure(programs: &Programs) -> Result<Vec<Row>, String> {
    let (tool, crowd) = (programs.tool(), programs.floor("crowd"));
    apart(CloneFlags::empty(), &[&crowd, "500", "10"], || {
        let all = compare(&tool, "all types", &["-l", "-o", "NS,TYPE,NPROCS,PID,USER,COMMAND"])?;
        Ok(vec![all, compare(&tool, "network alone", &["-t", "net", "-l", "-o", "NS,NPROCS"])?])
    })
}

fn compare(tool: &str, what: &str, options: &[&str]) -> Result<Row, String> {
    let ours: Vec<&str> = [tool, "lsns"].iter().chain(options).copied().collect();
    let theirs: Vec<&str> = ["lsns"].iter().chain(options).copied().collect();
    let (seen, classic) = (count(&ours)?, count(&theirs)?);
    if seen != classic {
        return Err(format!("lsns: {what}: we see {seen} namespaces with processes, util-linux {classic}"));
    }
    let times = medians(&mut [Contender::new("unitcell lsns", &ours), Contender::new("lsns", &theirs)], 21)?;
    Ok(Row {
        what: format!("lsns: 5,000 processes, {what}"),
        beside: "lsns of util-linux".to_owned(),
        ours: Figure::Time(times[0]),
        theirs: Figure::Time(times[1]),
        aim: Some(0.33),
    })
}

/// Not every version looks for namespaces without processes.
fn count(words: &[&str]) -> Result<usize, String> {
    let output = Command::new(words[0]).args(&words[1..]).arg("-J").output().map_err(|error| error.to_string())?;
    let told: Value = serde_json::from_slice(&output.stdout).map_err(|error| format!("{}: {error}", words[0]))?;
    let rows = told["namespaces"].as_array().ok_or_else(|| format!("{}: no namespaces", words[0]))?;
    Ok(rows.iter().filter(|row| row["nprocs"].as_u64() > Some(0)).count())
}
