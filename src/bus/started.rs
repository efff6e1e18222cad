//! A transient unit from its start to its end, by systemd's signals alone.

use std::collections::HashMap;
use std::task::Poll;
use std::time::Duration;

use zbus::fdo::{PropertiesChangedStream, PropertiesProxy};
use zbus::proxy::CacheProperties;
use zbus::{ObjectPath, OwnedObjectPath, OwnedVariant, Variant};

use super::job::ended;
use super::next::next;
use super::proxy::JobRemovedStream;
use super::systemd::call;
use super::transient::Property;
use super::{Error, Systemd};

/// A unit that was started, and is watched.
pub struct Started<'s> {
    systemd: &'s Systemd,
    name: String,
    path: OwnedObjectPath,
    job: OwnedObjectPath,
    jobs: JobRemovedStream,
    changes: PropertiesChangedStream,
    /// What the signals told last.
    told: HashMap<String, OwnedVariant>,
}

/// What has happened to a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Its job has ended, with systemd's word for how: `done`, `failed`, `dependency` …
    Job(String),
    /// Something else was told about it.
    Told,
    /// It is active no more.
    Ended,
}

/// How a service has ended, or how far it has got.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// `success`, `exit-code`, `signal`, `timeout` …
    pub result: String,
    /// How the main process ended, as waitid(2) has it: CLD_EXITED, CLD_KILLED; 0 if it has not.
    pub code: i32,
    /// Its exit status, or the signal.
    pub status: i32,
    /// What it told last about itself.
    pub status_text: String,
    /// The number of this run of the unit, in hexadecimal; empty if it has none.
    pub invocation: String,
    /// From the beginning of its start to when it counted as started.
    pub started_within: Option<Duration>,
    /// From the beginning of its start to its end.
    pub runtime: Option<Duration>,
    /// The time that it spent computing.
    pub cpu: Option<Duration>,
}

impl<'s> Started<'s> {
    /// Starts a unit that is not in any file.
    pub async fn start(systemd: &'s Systemd, name: &str, properties: &[Property]) -> Result<Started<'s>, Error> {
        let failed = call(format!("did not start {name}"));
        let path: OwnedObjectPath = ObjectPath::try_from(path_of(name)).map_err(&failed)?.into();
        // What happens from now on is not missed: first the ear, then the word.
        let jobs = systemd.jobs().await.map_err(&failed)?;
        let unit = PropertiesProxy::builder(&systemd.connection)
            .destination("org.freedesktop.systemd1")
            .path(path.clone())
            .cache_properties(CacheProperties::No)
            .build()
            .await
            .map_err(&failed)?;
        let changes = unit.receive_properties_changed().await.map_err(&failed)?;
        let arguments: Vec<(&str, &Variant<'_>)> =
            properties.iter().map(|property| (property.name.as_str(), &property.value)).collect();
        let job = systemd.manager.start_transient_unit(name, "fail", &arguments, &[]).await.map_err(&failed)?;
        Ok(Started { systemd, name: name.to_owned(), path, job, jobs, changes, told: HashMap::new() })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it told last about itself.
    pub fn status(&self) -> &str {
        text(&self.told, "StatusText")
    }

    /// Is its program executed, all that systemd sets up for it done? Before 256 systemd tells only
    /// that it is about to.
    pub fn is_executed(&self) -> bool {
        let time = |name: &str| time(&self.told, name);
        match self.told.contains_key("ExecMainHandoffTimestampMonotonic") {
            true => time("ExecMainHandoffTimestampMonotonic").is_some(),
            false => time("ExecMainStartTimestampMonotonic").is_some(),
        }
    }

    /// The next thing that happens to it. Nothing is lost where this is given up half way.
    pub async fn next(&mut self) -> Result<Change, Error> {
        let Started { job, jobs, changes, told, .. } = self;
        let mut of_unit = std::pin::pin!(next_of_unit(changes, told));
        let mut of_job = std::pin::pin!(next_of_job(jobs, job));
        // What is told of the unit is older than the word that its job has ended, if both are there.
        std::future::poll_fn(|context| match of_unit.as_mut().poll(context) {
            Poll::Ready(change) => Poll::Ready(change),
            Poll::Pending => of_job.as_mut().poll(context),
        })
        .await
    }

    /// The number of this run, while somebody refers to the unit.
    pub async fn invocation(&self) -> Result<String, Error> {
        let failed = call(format!("did not tell about {}", self.name));
        let unit = self.systemd.unit_at(&self.path).await.map_err(&failed)?;
        let id = unit.invocation_id().await.map_err(&failed)?;
        Ok(id.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// How it stands with it, by what was told up to now.
    pub async fn outcome(&self) -> Result<Outcome, Error> {
        let failed = call(format!("did not tell about {}", self.name));
        let service = self.systemd.service_at(&self.path).await.map_err(&failed)?;
        // Of this there are no signals. All ones: it was not counted.
        let cpu = service.cpu_usage_nsec().await.map_err(&failed)?;
        let cpu = (cpu != u64::MAX).then(|| Duration::from_nanos(cpu));
        Ok(Outcome { invocation: self.invocation().await?, cpu, ..outcome(&self.told) })
    }
}

async fn next_of_job(jobs: &mut JobRemovedStream, job: &OwnedObjectPath) -> Result<Change, Error> {
    ended(jobs, job).await.map(Change::Job)
}

async fn next_of_unit(
    changes: &mut PropertiesChangedStream,
    told: &mut HashMap<String, OwnedVariant>,
) -> Result<Change, Error> {
    let signal = next(changes).await.ok_or(Error::Lost)?;
    let Ok(changed) = signal.args() else { return Ok(Change::Told) };
    for (name, value) in changed.changed_properties() {
        if let Ok(value) = value.try_to_owned() {
            told.insert((*name).to_owned(), value);
        }
    }
    // systemd tells all of the service before it tells the state of the unit. Before its start the
    // unit is inactive, too, but has a job.
    let ended = changed.changed_properties().contains_key("ActiveState")
        && matches!(text(told, "ActiveState"), "inactive" | "failed")
        && !has_job(told);
    Ok(if ended { Change::Ended } else { Change::Told })
}

fn text<'t>(told: &'t HashMap<String, OwnedVariant>, name: &str) -> &'t str {
    match told.get(name).map(|value| &**value) {
        Some(Variant::Str(text)) => text.as_str(),
        _ => "",
    }
}

/// A point in time; 0 is never.
fn time(told: &HashMap<String, OwnedVariant>, name: &str) -> Option<u64> {
    match told.get(name).map(|value| &**value) {
        Some(Variant::U64(microseconds)) => Some(*microseconds).filter(|time| *time != 0),
        _ => None,
    }
}

/// Its job's number and object; number 0 is none.
fn has_job(told: &HashMap<String, OwnedVariant>) -> bool {
    match told.get("Job").map(|value| &**value) {
        Some(Variant::Structure(job)) => job.fields().first() != Some(&Variant::U32(0)),
        _ => false,
    }
}

fn outcome(told: &HashMap<String, OwnedVariant>) -> Outcome {
    let number = |name: &str| match told.get(name).map(|value| &**value) {
        Some(Variant::I32(number)) => *number,
        _ => 0,
    };
    let time = |name: &str| time(told, name);
    let begun = time("InactiveExitTimestampMonotonic");
    let since = |end: &str| Some(Duration::from_micros(time(end)?.checked_sub(begun?)?));
    Outcome {
        result: text(told, "Result").to_owned(),
        code: number("ExecMainCode"),
        status: number("ExecMainStatus"),
        status_text: text(told, "StatusText").to_owned(),
        invocation: String::new(),
        started_within: since("ActiveEnterTimestampMonotonic"),
        runtime: since("InactiveEnterTimestampMonotonic"),
        cpu: None,
    }
}

/// The object of a unit, which has all but letters and digits of its name escaped.
fn path_of(unit: &str) -> String {
    let mut path = String::from("/org/freedesktop/systemd1/unit/");
    for (n, byte) in unit.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => path.push(byte.into()),
            b'0'..=b'9' if n > 0 => path.push(byte.into()),
            _ => path.push_str(&format!("_{byte:02x}")),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_have_escaped_names() {
        assert_eq!(path_of("1a-b@c.service"), "/org/freedesktop/systemd1/unit/_31a_2db_40c_2eservice");
    }

    #[test]
    fn what_was_told_makes_the_outcome() {
        let mut told = HashMap::new();
        let mut tell = |name: &str, value: Variant<'_>| told.insert(name.to_owned(), value.try_to_owned().unwrap());
        tell("Result", "exit-code".into());
        tell("ExecMainCode", 1.into());
        tell("ExecMainStatus", 226.into());
        tell("InactiveExitTimestampMonotonic", 1_000u64.into());
        tell("InactiveEnterTimestampMonotonic", 3_500u64.into());
        tell("ActiveEnterTimestampMonotonic", 0u64.into());
        let outcome = outcome(&told);
        assert_eq!((outcome.result.as_str(), outcome.code, outcome.status), ("exit-code", 1, 226));
        assert_eq!((outcome.runtime, outcome.started_within), (Some(Duration::from_micros(2_500)), None));
    }
}
