//! A connection to a systemd, and what can be asked of it.

use zbus::proxy::CacheProperties;
use zbus::{Connection, OwnedObjectPath};

use super::Error;
use super::address::Address;
use super::connect::connect;
use super::proxy::{ManagerProxy, ServiceProxy, UnitProxy};

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

/// A systemd that answers.
#[derive(Debug)]
pub struct Systemd {
    pub(super) connection: Connection,
    pub(super) manager: ManagerProxy<'static>,
}

impl Systemd {
    /// Connects to it.
    pub async fn connect(address: &Address) -> Result<Systemd, Error> {
        let connection = connect(address).await?;
        let manager = ManagerProxy::builder(&connection).cache_properties(CacheProperties::No).build().await;
        let manager = manager.map_err(call("did not answer"))?;
        Ok(Systemd { connection, manager })
    }

    /// Its version: 252, 257 …
    pub async fn version(&self) -> Result<u32, Error> {
        let text = self.manager.version().await.map_err(call("did not tell its version"))?;
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        text[..digits].parse().map_err(|_| Error::Version(text))
    }

    /// The control group that all of its own are below, and its process, as the bus counts processes.
    pub async fn process(&self) -> Result<(String, u32), Error> {
        let failed = call("did not tell about itself");
        let group = self.manager.control_group().await.map_err(&failed)?;
        let bus = zbus::fdo::DBusProxy::new(&self.connection).await.map_err(&failed)?;
        let owner = bus.get_connection_unix_process_id(self.manager.inner().destination().clone()).await;
        Ok((group, owner.map_err(|error| failed(error.into()))?))
    }

    /// What this connection is called on the bus.
    pub fn own_name(&self) -> Option<&str> {
        self.connection.unique_name().map(|name| name.as_str())
    }

    /// Tells of a unit.
    pub async fn unit(&self, name: &str) -> Result<UnitState, Error> {
        let failed = call(format!("did not tell about {name}"));
        let path = self.manager.load_unit(name).await.map_err(&failed)?;
        let unit = self.unit_at(&path).await.map_err(&failed)?;
        if unit.load_state().await.map_err(&failed)? == "not-found" {
            return Err(Error::NoSuchUnit(name.to_owned()));
        }
        let mut state = UnitState {
            id: unit.id().await.map_err(&failed)?,
            active: unit.active_state().await.map_err(&failed)?,
            main_pid: None,
            control_group: None,
        };
        if state.id.ends_with(".service") {
            let service = self.service_at(&path).await.map_err(&failed)?;
            state.main_pid = Some(service.main_pid().await.map_err(&failed)?).filter(|pid| *pid != 0);
            state.control_group =
                Some(service.control_group().await.map_err(&failed)?).filter(|group| !group.is_empty());
        }
        Ok(state)
    }

    /// Stops a unit.
    pub async fn stop(&self, name: &str) -> Result<(), Error> {
        self.manager.stop_unit(name, "replace").await.map_err(call(format!("did not stop {name}"))).map(drop)
    }

    pub(super) async fn unit_at(&self, path: &OwnedObjectPath) -> zbus::Result<UnitProxy<'static>> {
        UnitProxy::builder(&self.connection).path(path.clone()).cache_properties(CacheProperties::No).build().await
    }

    pub(super) async fn service_at(&self, path: &OwnedObjectPath) -> zbus::Result<ServiceProxy<'static>> {
        ServiceProxy::builder(&self.connection).path(path.clone()).cache_properties(CacheProperties::No).build().await
    }
}

/// What systemd would not do.
pub(super) fn call(what: impl Into<String>) -> impl Fn(zbus::Error) -> Error {
    let what = what.into();
    move |source| Error::Call { what: what.clone(), source: Box::new(source) }
}
