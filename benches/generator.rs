//! The generator, beside a program that only reads what it must read, and beside systemd's own.

use std::fs;
use std::path::{Path, PathBuf};

use crate::measure::{Contender, medians};
use crate::programs::Programs;
use crate::report::{Figure, Row};

pub fn measure(programs: &Programs) -> Result<Vec<Row>, String> {
    let (plain, with_cells, many) = (400, 10_000, 100_000);
    let mut rows = Vec::new();

    let machine = root(programs, plain, 0)?;
    let mut contenders = pair(programs, &machine)?;
    contenders.extend(of_systemd().iter().map(|path| of_systemd_on(path, &machine)));
    let times = medians(&mut contenders, 100)?;
    let what = format!("generator: {plain} units, no cell");
    let row = |what: &str, beside: &str, ours, theirs, aim| Row {
        what: what.to_owned(),
        beside: beside.to_owned(),
        ours: Figure::Time(ours),
        theirs: Figure::Time(theirs),
        aim,
    };
    rows.push(row(&what, "static C that reads them", times[0], times[1], None));
    let fastest = contenders.iter().zip(&times).skip(2).min_by_key(|(_, time)| **time);
    rows.extend(fastest.map(|(contender, time)| row(&what, &contender.name, times[0], *time, Some(1.0))));

    let fleet = root(programs, with_cells, 100)?;
    let times = medians(&mut pair(programs, &fleet)?, 30)?;
    let what = format!("generator: {with_cells} units, 100 cells");
    rows.push(row(&what, "static C that reads them", times[0], times[1], Some(1.5)));

    let huge = root(programs, many, 100 * (many / with_cells))?;
    let more = medians(&mut pair(programs, &huge)?, 5)?;
    let what = format!("generator: {many} units, {} cells", 100 * (many / with_cells));
    let factor = u32::try_from(many / with_cells).map_err(|error| error.to_string())?;
    rows.push(row(&what, &format!("{factor} × {with_cells} units"), more[0], times[0] * factor, Some(1.1)));
    Ok(rows)
}

fn units_of(root: &Path) -> PathBuf {
    root.join("etc/systemd/system")
}

/// A root with so many units, the first of them with a cell.
fn root(programs: &Programs, units: usize, cells: usize) -> Result<PathBuf, String> {
    let root = programs.memory().join(format!("root-{units}"));
    let directory = units_of(&root);
    let write =
        |path: PathBuf, text: &str| fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()));
    fs::create_dir_all(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    fs::create_dir_all(root.join("run")).map_err(|error| error.to_string())?;
    for number in 0..units {
        let cell = if number < cells { "\n[X-Unitcell]\nHostname=web\nPrivatePIDs=yes\n" } else { "" };
        let text = format!(
            "[Unit]\nDescription=Unit {number}\nAfter=network.target\n\n[Service]\nType=exec\nUser=nobody\n\
             ExecStart=/usr/bin/daemon --number={number}\nRestart=on-failure\nProtectSystem=strict\n\n\
             [Install]\nWantedBy=multi-user.target\n{cell}"
        );
        write(directory.join(format!("unit-{number}.service")), &text)?;
    }
    Ok(root)
}

fn pair(programs: &Programs, root: &Path) -> Result<Vec<Contender>, String> {
    let output = root.join("run").to_string_lossy().into_owned();
    let ours = Contender::new("unitcell-generator", &[&programs.generator()?, &output, &output, &output])
        .variable("UNITCELL_ROOT", &root.to_string_lossy())
        .variable("SYSTEMD_SCOPE", "system");
    let floor = Contender::new("static C", &[&programs.floor("read"), &units_of(root).to_string_lossy()]);
    Ok(vec![ours, floor])
}

/// Those that need no more than a root to look at.
fn of_systemd() -> Vec<PathBuf> {
    let directories = ["/usr/lib/systemd/system-generators", "/lib/systemd/system-generators"].map(Path::new);
    let directory = directories.into_iter().find(|directory| directory.is_dir());
    let names =
        ["systemd-getty-generator", "systemd-fstab-generator", "systemd-debug-generator", "systemd-rc-local-generator"];
    names.iter().filter_map(|name| Some(directory?.join(name))).filter(|path| path.is_file()).collect()
}

fn of_systemd_on(path: &Path, root: &Path) -> Contender {
    let output = root.join("run").to_string_lossy().into_owned();
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Contender::new(&name, &[&path.to_string_lossy(), &output, &output, &output]).variable("SYSTEMD_SCOPE", "system")
}
