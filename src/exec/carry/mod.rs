//! Carrying the steps out, from front to back.

mod credentials;
mod filter;
mod fork;
mod identity;
mod join;
mod mounts;
mod of_unit;
mod payload;
mod resolver;

use std::convert::Infallible;
use std::ffi::OsStr;
use std::io;
use std::mem::ManuallyDrop;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::beside::{Excuse, Job, Line, Post};
use super::environment::Environment;
use super::failure::Failure;
use super::program;
use super::report::{Priority, Report};
use super::request::Request;
use super::users::{Database, Ids};
use crate::cell::steps::{Step, steps};
use crate::cell::{Isolation, Kind, Kinds, Propagation, other_root};
use crate::notify::{Inlet, Notifier, NotifyState, Processes};
use crate::sys::id_map::Maps;
use crate::sys::namespace::{self, Namespace};
use crate::sys::{capability, mount, network, own_program, seccomp, user_namespace};
use mounts::Mounts;

/// Carries out what `request` asks for. Returns only with the reason why the payload did not
/// start.
pub fn carry_out(request: &Request, report: &Report) -> Result<Infallible, Failure> {
    let circumstances = request.circumstances();
    // It stays as it is when this fails: the first process of a PID namespace ends, and all others with
    // it, as soon as the line to the payload is closed. The payload's last words come before that.
    let mut wrapper = ManuallyDrop::new(Wrapper {
        request,
        privileged: circumstances.privileged,
        held: Kinds::NONE,
        opened: Vec::new(),
        ids: Ids::default(),
        maps: None,
        stays: false,
        environment: Environment::inherited(),
        notifier: None,
        inlet: None,
        monotonic_offset: 0,
        watchdog: None,
        role: Role::Payload(Vec::new()),
        excuse: None,
        directory: None,
        mounts: None,
        found: None,
        report,
    });
    wrapper.prepare().map_err(|cause| Failure::of_step(request, &Step::Exec, &cause))?;
    for step in steps(&request.cell, &request.identity, &circumstances) {
        // What is missing here was warned of when it could not be had.
        if !step.needs().iter().all(|kind| wrapper.held.contains(kind)) {
            continue;
        }
        if matches!(wrapper.role, Role::Beside(job, _) if !job.takes(&step)) {
            continue;
        }
        match wrapper.take(&step) {
            Ok(()) => {}
            Err(cause) => {
                let failure = Failure::of_step(request, &step, &cause);
                if !wrapper.may_go_on_without(&step) {
                    match wrapper.excuse.take() {
                        // The payload names the step when it is this one's own.
                        Some(excuse) if step.is_about_work_beside() => excuse.give(&cause.to_string()),
                        Some(excuse) => excuse.give(&failure.to_string()),
                        None => return Err(failure),
                    }
                }
                report.tell(
                    Priority::Warning,
                    &format!("going on without, as Isolation=try asks: {failure}"),
                    &failure.directives,
                );
            }
        }
    }
    unreachable!("the last step becomes the payload or fails")
}

struct Wrapper<'r> {
    request: &'r Request,
    privileged: bool,
    /// The namespaces that the steps so far have made or joined.
    held: Kinds,
    opened: Vec<(Kind, Namespace)>,
    ids: Ids,
    /// The maps of the user namespace, once it is made.
    maps: Option<Maps>,
    /// Has this process, without privilege, an id of its own in there?
    stays: bool,
    environment: Environment,
    notifier: Option<Notifier>,
    /// Where the payload's messages arrive, if they are relayed, and the /proc that tells of its processes.
    inlet: Option<(Inlet, Processes)>,
    /// By how much the manager's CLOCK_MONOTONIC is shifted, where the payload's messages are relayed.
    monotonic_offset: i64,
    /// The time in which the manager wants to be told that the service is well.
    watchdog: Option<Duration>,
    role: Role,
    /// In a process beside the payload: how it tells what goes wrong.
    excuse: Option<Excuse>,
    /// Where to go back to after another mount namespace was entered.
    directory: Option<PathBuf>,
    /// The mounts of its own, once there is one.
    mounts: Option<Mounts>,
    /// The command's file, once it was looked for.
    found: Option<PathBuf>,
    report: &'r Report,
}

/// Which process takes the steps.
enum Role {
    /// The one that becomes the payload, with a line to each process that is beside it already.
    Payload(Vec<Line>),
    /// One of those.
    Beside(Job, Post),
}

impl Wrapper<'_> {
    /// Opens what later steps could not find any more.
    fn prepare(&mut self) -> io::Result<()> {
        self.environment.mend_pidfds();
        let watched = self.request.cell.is_watched();
        if self.request.hand_over || self.request.ready || self.request.relay.is_some() || watched {
            let address = self.environment.get("NOTIFY_SOCKET").ok_or_else(|| {
                let access = if watched { "all" } else { "main" };
                io::Error::other(format!("NOTIFY_SOCKET is not set; the unit needs NotifyAccess={access}"))
            })?;
            self.notifier = Some(Notifier::connect(OsStr::from_bytes(address))?);
        }
        if self.request.relay.is_some() {
            self.monotonic_offset = Processes::open()?.monotonic_offset()?;
        }
        if !self.request.cell.health_probe.is_empty() {
            self.watchdog = Some(
                self.environment
                    .watchdog()
                    .ok_or_else(|| io::Error::other("WATCHDOG_USEC is not set; the unit needs WatchdogSec="))?,
            );
            // Fed by the service as well, the watchdog would not mind what the probe says.
            self.environment.remove("WATCHDOG_USEC");
            self.environment.remove("WATCHDOG_PID");
        }
        let cell = &self.request.cell;
        if cell.paths.iter().any(|(kind, _)| *kind == Kind::Mount) || cell.root_overlay || !cell.mounts.is_empty() {
            self.directory = Some(std::env::current_dir()?);
        }
        if self.request.hide_notify_socket {
            self.environment.remove("NOTIFY_SOCKET");
        }
        Ok(())
    }

    /// May the service run without what this step was to do? Never where its ids mean those
    /// inside of a user namespace: outside they are others, root among them.
    fn may_go_on_without(&self, step: &Step) -> bool {
        let cell = &self.request.cell;
        let ids_inside = step.kinds().contains(Kind::User) && cell.ids_are_inside();
        cell.isolation == Isolation::Try && !step.kinds().is_empty() && !ids_inside
    }

    fn take(&mut self, step: &Step) -> io::Result<()> {
        match step {
            Step::Verify { kind, manager, .. } => return verify(*kind, *manager),
            Step::ProtectProgram => own_program::protect(c"unitcell-exec")?,
            Step::LookUpUser => {
                let database = Database::of_system_or(self.request.own_files.as_deref());
                self.ids = database.look_up(&self.request.identity)?;
            }
            Step::DetachOwnFiles => self.detach_own_files()?,
            Step::Open(kind, path) => {
                let copy = self.request.own_files.as_ref().filter(|_| other_root::is_pin(path));
                let copy = copy.map(|directory| directory.join(other_root::pin_name(*kind)));
                self.keep(vec![(*kind, Namespace::open(copy.as_deref().unwrap_or(Path::new(path)))?)])?;
            }
            Step::OpenOfUnit(of) => self.open_of_unit(of)?,
            Step::Join(kind) => self.join(*kind)?,
            Step::MakeUserNamespace(maps) => {
                let maps = self.maps(maps)?;
                self.opened.push((Kind::User, user_namespace::make(|| self.belong_to_root(), &maps)?));
                self.maps = Some(maps);
            }
            Step::Unshare(kinds) => {
                namespace::make(kinds.clone_flags())?;
                kinds.iter().for_each(|kind| self.held.insert(kind));
            }
            Step::LoopbackUp => network::loopback_up()?,
            Step::SetHostname(name) => namespace::set_hostname(name)?,
            Step::SetDomainname(name) => namespace::set_domainname(name)?,
            Step::SetTimeOffsets { monotonic, boottime } => namespace::enter_new_time(*monotonic, *boottime)?,
            Step::DetachMounts(Propagation::Private) => mount::cut_off_from_host()?,
            Step::DetachMounts(_) => mount::detach_from_host()?,
            Step::MountSys => self.mounts()?.sysfs()?,
            Step::MountCgroup { read_only, fresh: true } => mount::cgroup(*read_only)?,
            Step::MountCgroup { fresh: false, .. } => mount::cgroup_read_only()?,
            Step::MountMqueue => mount::mqueue()?,
            Step::Fork { hand_over, init } => self.fork(*hand_over, *init)?,
            Step::MountProc => self.mounts()?.proc()?,
            Step::Prepare(mount) | Step::Mount(mount) if self.gives_nobody(mount) => {}
            Step::Prepare(mount) => self.mounts()?.prepare(mount)?,
            Step::BecomeRoot => self.become_root()?,
            Step::EnterRoot(root) => self.mounts()?.enter_root(root)?,
            Step::Mount(mount) => self.mounts()?.mount(mount)?,
            Step::ReturnToDirectory => self.return_to_directory()?,
            Step::ShareMounts => mount::share()?,
            Step::LockHostname => seccomp::deny_hostname_changes()?,
            Step::RestrictNamespaces(allowed) => filter::restrict_namespaces(*allowed)?,
            Step::FindCommand => {
                let found = self.program()?;
                program::is_executable(&found)
                    .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", found.display())))?;
                self.found = Some(found);
            }
            Step::DenyCalls(denied) => self.deny_calls(denied)?,
            Step::SetGroups => self.set_groups()?,
            Step::LimitCapabilities(keep) => capability::limit_bounding_set(keep.0)?,
            Step::SetUser => self.set_user()?,
            Step::DropAmbient => capability::drop_ambient()?,
            Step::RaiseAmbient(set) => capability::raise_ambient(set.0)?,
            Step::KeepCapabilities => capability::raise_all_ambient()?,
            Step::SetSecureBits(bits) => capability::set_secure_bits(*bits)?,
            Step::NoNewPrivileges => capability::no_new_privileges()?,
            // Natively systemd enters the directory as the user, who may lack the permission.
            Step::CheckDirectory => std::env::set_current_dir(".")?,
            Step::EnterDirectory(path) => std::env::set_current_dir(path)?,
            Step::StartInit => self.start_init()?,
            Step::Relay => self.start_relay()?,
            Step::KeepSession => self.keep_session()?,
            Step::Watch(watch_for) => self.watch(watch_for)?,
            Step::Ready => {
                program::is_executable(&self.program()?)?;
                self.notifier()?.send(&[NotifyState::Ready])?;
            }
            Step::Exec => return Err(self.execute()?),
        }
        Ok(())
    }

    fn mounts(&mut self) -> io::Result<&mut Mounts> {
        if self.mounts.is_none() {
            self.mounts = Some(Mounts::new(self.owner())?);
        }
        self.mounts.as_mut().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn detach_own_files(&self) -> io::Result<()> {
        if let Some(directory) = &self.request.own_files {
            mount::detach_below(directory)?;
        }
        // systemd has bound it into the root, and the service would not have it without a cell.
        match std::env::var_os("NOTIFY_SOCKET").filter(|_| self.request.hide_notify_socket) {
            Some(socket) => mount::detach(Path::new(&socket)),
            None => Ok(()),
        }
    }

    fn notifier(&self) -> io::Result<&Notifier> {
        self.notifier.as_ref().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

fn verify(kind: Kind, manager: u64) -> io::Result<()> {
    if namespace::own_inode(kind.proc_name())? != manager {
        return Ok(());
    }
    Err(io::Error::other("systemd has gone on without another one, most likely for want of CAP_SYS_ADMIN"))
}
