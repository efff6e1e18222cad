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
        let failed = call(format!("did not stop {name}"));
        let mut jobs = self.jobs().await.map_err(&failed)?;
        let job = self.manager.stop_unit(name, "replace").await.map_err(&failed)?;
        match ended(&mut jobs, &job).await?.as_str() {
            "done" => Ok(true),
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
