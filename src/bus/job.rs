//! Jobs, and that they are over.

use zbus::OwnedObjectPath;

use super::error::is_named;
use super::next::next;
use super::proxy::JobRemovedStream;
use super::systemd::call;
use super::{Error, Systemd};

impl Systemd {
    /// What tells of jobs that end from now on.
    pub(super) async fn jobs(&self) -> zbus::Result<JobRemovedStream> {
        match self.manager.subscribe().await {
            Err(error) if !is_named(&error, "org.freedesktop.systemd1.AlreadySubscribed") => return Err(error),
            _ => {}
        }
        self.manager.receive_job_removed().await
    }

    /// Stops a unit and waits until it is; false if it was not active.
    pub async fn stop_wholly(&self, name: &str) -> Result<bool, Error> {
        match self.unit(name).await {
            Err(Error::NoSuchUnit(_)) => return Ok(false),
            Ok(unit) if matches!(unit.active.as_str(), "inactive" | "failed") => return Ok(false),
            other => other.map(drop)?,
        }
        let stopped = self.wholly("stop", name, async || self.manager.stop_unit(name, "replace").await).await;
        stopped.map(|()| true)
    }

    /// Starts a unit and waits until it is.
    pub async fn start_wholly(&self, name: &str) -> Result<(), Error> {
        self.wholly("start", name, async || self.manager.start_unit(name, "replace").await).await
    }

    /// Reloads a unit and waits until it has.
    pub async fn reload_wholly(&self, name: &str) -> Result<(), Error> {
        self.wholly("reload", name, async || self.manager.reload_unit(name, "replace").await).await
    }

    async fn wholly(
        &self,
        what: &str,
        name: &str,
        begin: impl AsyncFnOnce() -> zbus::Result<OwnedObjectPath>,
    ) -> Result<(), Error> {
        let failed = call(format!("did not {what} {name}"));
        let mut jobs = self.jobs().await.map_err(&failed)?;
        let job = begin().await.map_err(&failed)?;
        match ended(&mut jobs, &job).await?.as_str() {
            "done" => Ok(()),
            result => Err(failed(zbus::Error::Failure(format!("its job ended as {result}")))),
        }
    }
}

/// Waits until a job has ended; systemd's word for how: `done`, `failed`, `canceled` …
pub(super) async fn ended(jobs: &mut JobRemovedStream, job: &OwnedObjectPath) -> Result<String, Error> {
    loop {
        let signal = next(jobs).await.ok_or(Error::Lost)?;
        let Ok(removed) = signal.args() else { continue };
        if removed.job() == job {
            return Ok(removed.result().clone());
        }
    }
}
