//! `unitcell lsns`: the namespaces of the machine, with the options of util-linux and the units.

mod column;
mod filter;
mod legend;
mod print;
mod row;
mod tree;

use std::collections::HashMap;
use std::process::ExitCode;

use column::Column;
use filter::Filter;
use legend::Legend;
use print::Listing;
use row::{Row, Table};

use super::Error;
use super::output::Output;
use super::target::Target;
use crate::cell::{Kind, Kinds};
use crate::inspect::{Process, Scan};
use crate::sys::nsfs::Relation;

/// List namespaces, who is in them, and to which units they belong
///
/// The options are those of lsns(8) of util-linux, and so is the output but for the columns UNIT,
/// NETNS and HOSTNAME.
#[derive(Debug, clap::Args)]
#[command(version, args_override_self = true, infer_long_args = true)]
pub struct Lsns {
    /// List the processes in this namespace, which is told by its inode number
    namespace: Option<String>,
    /// Print JSON, as --json=pretty does
    #[arg(short = 'J')]
    pretty: bool,
    /// Print a list, not a tree
    #[arg(short, long)]
    list: bool,
    /// Print no headings, as --no-legend does
    #[arg(short, long)]
    noheadings: bool,
    /// Print these columns; after a +, print them in addition to the usual ones
    #[arg(short, long, value_name = "LIST")]
    output: Option<String>,
    /// Print all columns
    #[arg(long, conflicts_with = "output")]
    output_all: bool,
    /// Only namespaces without a process
    #[arg(short = 'P', long, conflicts_with_all = ["task", "namespace"])]
    persistent: bool,
    /// Only the namespaces of this process, or of the main process of this unit
    #[arg(short = 'p', long, value_name = "PID|UNIT", conflicts_with = "namespace", allow_negative_numbers = true)]
    task: Option<String>,
    /// Look the unit up among user units
    #[arg(long)]
    user: bool,
    /// Only rows that this expression holds for, as scols-filter(5) has it: 'NPROCS > 1 and TYPE == "net"'
    #[arg(short = 'Q', long, value_name = "EXPR")]
    filter: Option<String>,
    /// Print a space between columns, and none within
    #[arg(short, long, conflicts_with = "pretty")]
    raw: bool,
    /// Don't cut long text off at the edge of the terminal
    #[arg(short = 'u', long)]
    notruncate: bool,
    /// Print several values on one line, with commas
    #[arg(short = 'W', long)]
    nowrap: bool,
    /// Only namespaces of this type: mnt, net, ipc, user, pid, uts, cgroup or time; may be repeated
    #[arg(short = 't', long = "type", value_name = "TYPE")]
    types: Vec<String>,
    /// Draw a tree: of processes (the default), or by the owner (the default of -T) or the parent of namespaces
    #[arg(short = 'T', long, value_name = "owner|parent|process", num_args = 0..=1, default_missing_value = "owner")]
    tree: Option<String>,
    /// List the columns there are
    #[arg(short = 'H', long)]
    list_columns: bool,
}

/// What makes a row the child of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tree {
    Process,
    Owner,
    Parent,
}

impl Lsns {
    pub fn run(mut self, output: &Output) -> Result<ExitCode, Error> {
        if self.list_columns {
            self.print_columns(output)?;
            return Ok(ExitCode::SUCCESS);
        }
        let wrong = |reason: String| Error::BadOption(reason);
        let tree = self.tree().map_err(wrong)?;
        let kinds = self.kinds().map_err(wrong)?;
        let inode = self.namespace.as_deref().map(parse_inode).transpose().map_err(wrong)?;
        let columns = self.columns(kinds, inode.is_some()).map_err(wrong)?;
        let filter = self.filter.as_deref().map(Filter::parse).transpose();
        let filter = filter.map_err(|error| wrong(format!("--filter: {error}")))?;
        let task = self.task.as_deref().map(|text| task(text, self.user)).transpose()?;

        let wanted = if inode.is_some() { Kind::ALL.into_iter().collect() } else { kinds };
        let needs = |column| {
            columns.contains(&column) || filter.as_ref().is_some_and(|filter: &Filter| filter.looks_at(column))
        };
        let mut scan = Scan::new(scanned(wanted, needs)).map_err(Error::Proc)?;
        let mut relate = |relation, column, shape| match needs(column) || tree == Some(shape) {
            true => scan.relate(relation, tree == Some(shape)),
            false => HashMap::new(),
        };
        let owners = relate(Relation::Owner, Column::Ons, Tree::Owner);
        let parents = relate(Relation::Parent, Column::Pns, Tree::Parent);
        let table = Table::new(&scan, parents, owners);

        let mut rows = match inode {
            Some(inode) => processes(&scan, inode)?,
            None => self.namespaces(&scan, kinds, task.as_ref()),
        };
        if let Some(filter) = &filter {
            let mut passing = Vec::new();
            for row in rows {
                let passes = filter.passes(&|column| table.value(row, column));
                if passes.map_err(|error| wrong(format!("--filter: {error}")))? {
                    passing.push(row);
                }
            }
            rows = passing;
        }
        // Of the processes of one namespace there is but one tree.
        let shape = if inode.is_some() && tree.is_some() { Some(Tree::Process) } else { tree };
        let listing = Listing {
            parents: shape.map_or_else(Vec::new, |shape| tree_of(shape, &rows, &table)),
            table: &table,
            columns,
            rows,
            tree: shape.map(|shape| if shape == Tree::Process { Column::Command } else { Column::Ns }),
            on_one_line: self.nowrap || self.raw,
        };
        self.print(&listing, output)?;
        Ok(ExitCode::SUCCESS)
    }

    fn print_columns(&self, output: &Output) -> Result<(), Error> {
        let legend = Legend::new();
        let written = match self.raw {
            _ if self.pretty || output.is_json() => output.json(&legend),
            true => output.text(&legend.raw()),
            false => output.text(&legend.text()),
        };
        Ok(written?)
    }

    fn print(&self, listing: &Listing<'_>, output: &Output) -> Result<(), Error> {
        let legend = output.legend && !self.noheadings;
        if self.pretty || output.is_json() {
            output.json(listing)?;
        } else if self.raw {
            output.text(&listing.raw(legend))?;
        } else if !listing.rows.is_empty() {
            let width = output.width.filter(|_| !self.notruncate);
            output.text(&listing.text().legend(legend).fit(width).render(output.palette))?;
        }
        Ok(())
    }

    /// What follows -T may be the namespace, since its value is optional.
    fn tree(&mut self) -> Result<Option<Tree>, String> {
        if self.list {
            return Ok(None);
        }
        let Some(text) = self.tree.take() else { return Ok(Some(Tree::Process)) };
        match text.strip_prefix('=').unwrap_or(&text) {
            "process" => Ok(Some(Tree::Process)),
            "owner" => Ok(Some(Tree::Owner)),
            "parent" => Ok(Some(Tree::Parent)),
            number if self.namespace.is_none() && parse_inode(number).is_ok() => {
                self.namespace = Some(number.to_owned());
                Ok(Some(Tree::Owner))
            }
            other => Err(format!("there is no tree of {other:?}; there are owner, parent and process")),
        }
    }

    fn kinds(&self) -> Result<Kinds, String> {
        if self.types.is_empty() {
            return Ok(Kind::ALL.into_iter().collect());
        }
        let kind = |name: &String| {
            Kind::from_proc_name(name).ok_or_else(|| {
                let names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.proc_name()).collect();
                format!("there is no type {name:?}; there are {}", names.join(", "))
            })
        };
        self.types.iter().map(kind).collect()
    }

    fn columns(&self, kinds: Kinds, of_processes: bool) -> Result<Vec<Column>, String> {
        let named_network = !self.types.is_empty() && kinds.contains(Kind::Network);
        let default = match (of_processes, named_network) {
            (true, _) => &Column::OF_PROCESSES[..],
            (false, true) => &Column::OF_NETWORK,
            (false, false) => &Column::OF_NAMESPACES,
        };
        match &self.output {
            Some(list) => Column::list(list, default),
            None if self.output_all => Ok(Column::ALL.into()),
            None => Ok(default.into()),
        }
    }

    fn namespaces(&self, scan: &Scan, kinds: Kinds, task: Option<&Process>) -> Vec<Row> {
        let of_task = |inode| {
            task.is_none_or(|task| {
                let own = |kind| scan.of_process(task.pid, kind);
                Kind::ALL.into_iter().filter_map(own).any(|own| own.inode == inode)
            })
        };
        scan.namespaces
            .iter()
            .filter(|namespace| kinds.contains(namespace.kind) && of_task(namespace.inode))
            .filter(|namespace| !self.persistent || namespace.processes.is_empty())
            .map(|namespace| Row { inode: namespace.inode, pid: namespace.processes.first().copied() })
            .collect()
    }
}

/// NETNS and HOSTNAME look at namespaces of other types than their row's.
fn scanned(mut kinds: Kinds, needs: impl Fn(Column) -> bool) -> Kinds {
    for (column, kind) in [(Column::Netns, Kind::Network), (Column::Hostname, Kind::Uts)] {
        if needs(column) {
            kinds.insert(kind);
        }
    }
    kinds
}

fn processes(scan: &Scan, inode: u64) -> Result<Vec<Row>, Error> {
    let namespace = scan.namespace(inode).ok_or(Error::NoSuchNamespace(inode))?;
    Ok(namespace.processes.iter().map(|&pid| Row { inode, pid: Some(pid) }).collect())
}

/// The parent of each row. A process may stand for several namespaces: its children hang from the
/// last one above them.
fn tree_of(shape: Tree, rows: &[Row], table: &Table<'_>) -> Vec<Option<usize>> {
    let by_relation = |relation: &HashMap<u64, u64>| {
        let place: HashMap<u64, usize> = rows.iter().enumerate().map(|(n, row)| (row.inode, n)).collect();
        rows.iter().map(|row| place.get(relation.get(&row.inode)?).copied()).collect()
    };
    match shape {
        Tree::Owner => by_relation(&table.owners),
        Tree::Parent => by_relation(&table.parents),
        Tree::Process => {
            let mut last = HashMap::new();
            let parent = |(n, row): (usize, &Row)| {
                let pid = row.pid?;
                let parent = Process::new(pid).parent().and_then(|parent| last.get(&parent).copied());
                last.insert(pid, n);
                parent
            };
            rows.iter().enumerate().map(parent).collect()
        }
    }
}

fn parse_inode(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text:?} is no inode number of a namespace, as `unitcell lsns` shows them"))
}

/// The process whose namespaces are listed. One that is not there has none, which is no error to lsns(8).
fn task(text: &str, user: bool) -> Result<Process, Error> {
    if !text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) || text.contains('.') {
        return Target::process(text, user);
    }
    match text.parse::<i32>() {
        Ok(pid) if pid > 0 => Ok(Process::new(pid.cast_unsigned())),
        _ => Err(Error::BadOption(format!("{text:?} is no number that a process can have"))),
    }
}
