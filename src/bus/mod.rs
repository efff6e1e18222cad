//! systemd over D-Bus: what it knows of a unit.
//!
//! One question, one connection: everything happens within one `block_on`, which starts no thread.
#![forbid(unsafe_code)]

mod error;
mod proxy;

use std::time::Duration;

pub use error::Error;
use proxy::{ManagerProxy, ServiceProxy, UnitProxy};
use zbus::proxy::CacheProperties;

use crate::unit::Scope;

/// As long as systemctl waits for a reply.
const TIMEOUT: Duration = Duration::from_secs(25);

/// What systemd says of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitState {
    /// Its main name.
    pub id: String,
    /// `active`, `inactive`, `failed` …
    pub active: String,
    /// Its main process, if it has one.
    pub main_pid: Option<u32>,
    /// Its control group, if it is running.
    pub control_group: Option<String>,
}

/// Asks the manager for a unit.
pub fn unit(scope: Scope, name: &str) -> Result<UnitState, Error> {
    if !libsystemd::daemon::booted() {
        return Err(Error::NotBooted);
    }
    zbus::block_on(ask(scope, name))
}

async fn ask(scope: Scope, name: &str) -> Result<UnitState, Error> {
    let builder = match scope {
        Scope::System => zbus::connection::Builder::system(),
        Scope::User => zbus::connection::Builder::session(),
    };
    let connection =
        builder.method_timeout(TIMEOUT).build().await.map_err(|source| Error::Connect { scope, source })?;
    let failed = |source| Error::Call { unit: name.to_owned(), source };

    let manager =
        ManagerProxy::builder(&connection).cache_properties(CacheProperties::No).build().await.map_err(failed)?;
    let path = manager.load_unit(name).await.map_err(failed)?;
    let unit = UnitProxy::builder(&connection)
        .path(&path)
        .cache_properties(CacheProperties::No)
        .build()
        .await
        .map_err(failed)?;
    let load = unit.load_state().await.map_err(failed)?;
    if load == "not-found" {
        return Err(Error::NoSuchUnit(name.to_owned()));
    }
    let mut state = UnitState {
        id: unit.id().await.map_err(failed)?,
        active: unit.active_state().await.map_err(failed)?,
        main_pid: None,
        control_group: None,
    };
    if state.id.ends_with(".service") {
        let service = ServiceProxy::builder(&connection)
            .path(&path)
            .cache_properties(CacheProperties::No)
            .build()
            .await
            .map_err(failed)?;
        state.main_pid = Some(service.main_pid().await.map_err(failed)?).filter(|pid| *pid != 0);
        state.control_group = Some(service.control_group().await.map_err(failed)?).filter(|group| !group.is_empty());
    }
    Ok(state)
}
