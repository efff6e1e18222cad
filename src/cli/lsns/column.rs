//! The columns: util-linux's, and those that tell of units.

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    Ns,
    Type,
    Path,
    Nprocs,
    Pid,
    Ppid,
    Command,
    Uid,
    User,
    Netnsid,
    Nsfs,
    Pns,
    Ons,
    Unit,
    Netns,
    Hostname,
}

use Column::*;

impl Column {
    /// In the order of `--output-all`.
    pub const ALL: [Column; 16] =
        [Ns, Type, Path, Nprocs, Pid, Ppid, Command, Uid, User, Netnsid, Nsfs, Pns, Ons, Unit, Netns, Hostname];

    /// What lsns shows of namespaces, and the unit.
    pub const OF_NAMESPACES: [Column; 7] = [Ns, Type, Nprocs, Pid, User, Unit, Command];

    /// The same where network namespaces are asked for by name.
    pub const OF_NETWORK: [Column; 9] = [Ns, Type, Nprocs, Pid, User, Netnsid, Nsfs, Unit, Command];

    /// Of the processes of one namespace.
    pub const OF_PROCESSES: [Column; 5] = [Pid, Ppid, User, Unit, Command];

    /// The heading.
    pub fn name(self) -> &'static str {
        match self {
            Ns => "NS",
            Type => "TYPE",
            Path => "PATH",
            Nprocs => "NPROCS",
            Pid => "PID",
            Ppid => "PPID",
            Command => "COMMAND",
            Uid => "UID",
            User => "USER",
            Netnsid => "NETNSID",
            Nsfs => "NSFS",
            Pns => "PNS",
            Ons => "ONS",
            Unit => "UNIT",
            Netns => "NETNS",
            Hostname => "HOSTNAME",
        }
    }

    /// What it tells.
    pub fn help(self) -> &'static str {
        match self {
            Ns => "the namespace, by its inode number",
            Type => "its type",
            Path => "a path to it",
            Nprocs => "how many processes are in it",
            Pid => "the lowest of their numbers",
            Ppid => "the parent of that process",
            Command => "its command line",
            Uid => "its user's number",
            User => "its user's name",
            Netnsid => "the number that this network namespace has for the other one",
            Nsfs => "where it is mounted",
            Pns => "the namespace that it lies in",
            Ons => "the user namespace that owns it",
            Unit => "the unit that the process belongs to",
            Netns => "the name of the network namespace",
            Hostname => "the host name in the UTS namespace",
        }
    }

    /// Is it a number, in JSON and in filters?
    pub fn is_number(self) -> bool {
        matches!(self, Ns | Nprocs | Pid | Ppid | Uid | Pns | Ons)
    }

    /// Does it stand at the right of its width?
    pub fn is_right(self) -> bool {
        matches!(self, Ns | Nprocs | Pid | Ppid | Uid | Netnsid | Pns | Ons)
    }

    /// Its key in JSON.
    pub fn key(self) -> String {
        self.name().to_ascii_lowercase()
    }

    /// The column of this name, in whatever case.
    pub fn by_name(name: &str) -> Result<Column, String> {
        Column::ALL.into_iter().find(|column| column.name().eq_ignore_ascii_case(name)).ok_or_else(|| {
            let names: Vec<&str> = Column::ALL.iter().map(|column| column.name()).collect();
            format!("there is no column {name:?}; there are {}", names.join(", "))
        })
    }

    /// A list as `--output` takes it: names with commas, or after a `+` names to add to `default`.
    pub fn list(text: &str, default: &[Column]) -> Result<Vec<Column>, String> {
        let (mut columns, names) = match text.strip_prefix('+') {
            Some(more) => (default.to_vec(), more),
            None => (Vec::new(), text),
        };
        for name in names.split(',') {
            columns.push(Column::by_name(name.trim())?);
        }
        Ok(columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_replace_the_default_or_add_to_it() {
        assert_eq!(Column::list("ns,Pid", &Column::OF_PROCESSES), Ok(vec![Ns, Pid]));
        assert_eq!(Column::list("+NETNS", &[Ns]), Ok(vec![Ns, Netns]));
        assert!(Column::list("ns,foo", &[]).unwrap_err().contains("\"foo\""));
    }
}
