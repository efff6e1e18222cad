//! Which setting becomes which property, and of what type.

use super::{Property, command, network, plain, resource, value};
use crate::unit::Assignment;

/// What becomes of a value: the name of the setting and its text, without escapes for specifiers.
pub type Translate = fn(&str, &str) -> Result<Vec<Property>, String>;

/// Settings of one section and one type.
struct Group {
    section: &'static str,
    translate: Translate,
    names: &'static [&'static str],
}

const fn unit(translate: Translate, names: &'static [&'static str]) -> Group {
    Group { section: "Unit", translate, names }
}

const fn service(translate: Translate, names: &'static [&'static str]) -> Group {
    Group { section: "Service", translate, names }
}

/// All settings that are known, systemd.directives(7).
#[rustfmt::skip]
static GROUPS: &[Group] = &[
    unit(value::text, &["Description", "SourcePath", "OnSuccessJobMode", "OnFailureJobMode", "JobTimeoutAction",
        "JobTimeoutRebootArgument", "StartLimitAction", "FailureAction", "SuccessAction", "RebootArgument", "CollectMode"]),
    unit(value::boolean, &["StopWhenUnneeded", "RefuseManualStart", "RefuseManualStop", "AllowIsolate",
        "IgnoreOnIsolate", "SurviveFinalKillSignal", "DefaultDependencies"]),
    unit(value::seconds, &["JobTimeoutSec", "JobRunningTimeoutSec", "StartLimitIntervalSec"]),
    unit(value::count, &["StartLimitBurst"]),
    unit(value::integer, &["SuccessActionExitStatus", "FailureActionExitStatus"]),
    unit(value::words, &["Documentation", "Requires", "Requisite", "Wants", "BindsTo", "PartOf", "Upholds", "Conflicts",
        "Before", "After", "OnFailure", "OnSuccess", "PropagatesReloadTo", "ReloadPropagatedFrom", "PropagatesStopTo",
        "StopPropagatedFrom", "JoinsNamespaceOf", "RequiresMountsFor", "WantsMountsFor"]),
    unit(value::condition, &["ConditionArchitecture", "ConditionVirtualization", "ConditionHost", "ConditionKernelCommandLine",
        "ConditionKernelVersion", "ConditionVersion", "ConditionSecurity", "ConditionCapability", "ConditionACPower",
        "ConditionNeedsUpdate", "ConditionFirstBoot", "ConditionPathExists", "ConditionPathExistsGlob",
        "ConditionPathIsDirectory", "ConditionPathIsSymbolicLink", "ConditionPathIsMountPoint", "ConditionPathIsReadWrite",
        "ConditionDirectoryNotEmpty", "ConditionFileNotEmpty", "ConditionFileIsExecutable", "ConditionUser",
        "ConditionGroup", "ConditionMemory", "ConditionCPUs", "ConditionCredential", "ConditionEnvironment",
        "AssertArchitecture", "AssertVirtualization", "AssertHost", "AssertKernelCommandLine", "AssertKernelVersion",
        "AssertVersion", "AssertSecurity", "AssertCapability", "AssertACPower", "AssertNeedsUpdate", "AssertFirstBoot",
        "AssertPathExists", "AssertPathExistsGlob", "AssertPathIsDirectory", "AssertPathIsSymbolicLink",
        "AssertPathIsMountPoint", "AssertPathIsReadWrite", "AssertDirectoryNotEmpty", "AssertFileNotEmpty",
        "AssertFileIsExecutable", "AssertUser", "AssertGroup", "AssertMemory", "AssertCPUs", "AssertCredential",
        "AssertEnvironment"]),

    service(value::text, &["Type", "ExitType", "Restart", "RestartMode", "BusName", "NotifyAccess", "PIDFile", "OOMPolicy",
        "TimeoutStartFailureMode", "TimeoutStopFailureMode", "FileDescriptorStorePreserve", "KillMode",
        "Slice", "DevicePolicy", "ManagedOOMSwap", "ManagedOOMMemoryPressure", "ManagedOOMPreference", "DelegateSubgroup",
        "User", "Group", "PAMName", "WorkingDirectory", "RootDirectory", "RootImage", "TTYPath", "UtmpIdentifier", "UtmpMode",
        "SyslogIdentifier", "LogNamespace", "ProtectSystem", "ProtectHome", "ProtectProc", "ProcSubset", "Personality",
        "KeyringMode", "RuntimeDirectoryPreserve", "SELinuxContext", "AppArmorProfile", "SmackProcessLabel",
        "NetworkNamespacePath", "IPCNamespacePath", "UserNamespacePath", "PrivatePIDs"]),
    service(value::boolean, &["RemainAfterExit", "GuessMainPID", "RootDirectoryStartOnly", "SendSIGHUP", "SendSIGKILL",
        "CPUAccounting", "MemoryAccounting", "IOAccounting", "TasksAccounting", "IPAccounting", "MemoryZSwapWriteback",
        "IgnoreSIGPIPE", "TTYVHangup", "TTYReset", "TTYVTDisallocate", "PrivateDevices", "PrivateNetwork", "PrivateMounts",
        "PrivateIPC", "NoNewPrivileges", "SyslogLevelPrefix", "MemoryDenyWriteExecute", "RestrictRealtime",
        "RestrictSUIDSGID", "DynamicUser", "RemoveIPC", "ProtectKernelTunables", "ProtectKernelModules",
        "ProtectKernelLogs", "ProtectClock", "MountAPIVFS", "BindLogSockets", "LockPersonality", "MemoryKSM",
        "CPUSchedulingResetOnFork", "NonBlocking", "SetLoginEnvironment", "RootEphemeral", "CoredumpReceive"]),
    // A word instead of a boolean goes to a property of another name, where the version has it.
    service(value::boolean_or_more, &["PrivateUsers", "PrivateTmp", "ProtectControlGroups"]),
    service(value::protect_hostname, &["ProtectHostname"]),
    service(value::seconds, &["RestartSec", "RestartMaxDelaySec", "TimeoutStartSec", "TimeoutStopSec", "TimeoutAbortSec",
        "RuntimeMaxSec", "RuntimeRandomizedExtraSec", "WatchdogSec", "TimeoutCleanSec", "LogRateLimitIntervalSec"]),
    service(value::start_and_stop_seconds, &["TimeoutSec"]),
    service(value::nanoseconds, &["TimerSlackNSec"]),
    service(value::count, &["FileDescriptorStoreMax", "RestartSteps", "LogRateLimitBurst", "TTYRows", "TTYColumns"]),
    service(value::integer, &["Nice", "OOMScoreAdjust", "CPUSchedulingPriority", "IOSchedulingPriority"]),
    service(value::mode, &["UMask", "RuntimeDirectoryMode", "StateDirectoryMode", "CacheDirectoryMode", "LogsDirectoryMode",
        "ConfigurationDirectoryMode"]),
    service(value::signal, &["KillSignal", "RestartKillSignal", "FinalKillSignal", "WatchdogSignal", "ReloadSignal"]),
    service(value::exit_statuses, &["SuccessExitStatus", "RestartPreventExitStatus", "RestartForceExitStatus"]),
    service(value::words, &["SupplementaryGroups", "Environment", "PassEnvironment", "UnsetEnvironment", "ReadWritePaths",
        "ReadOnlyPaths", "InaccessiblePaths", "ExecPaths", "NoExecPaths", "ExtensionDirectories", "RuntimeDirectory",
        "StateDirectory", "CacheDirectory", "LogsDirectory", "ConfigurationDirectory", "SystemCallArchitectures",
        "ImportCredential", "DisableControllers", "Sockets"]),
    service(value::search_path, &["ExecSearchPath"]),
    service(value::environment_file, &["EnvironmentFile"]),
    service(value::filter, &["SystemCallFilter", "SystemCallLog", "RestrictAddressFamilies", "RestrictFileSystems",
        "RestrictNetworkInterfaces"]),
    service(value::capabilities, &["CapabilityBoundingSet", "AmbientCapabilities"]),
    service(value::secure_bits, &["SecureBits"]),
    service(value::namespaces, &["RestrictNamespaces"]),
    service(value::stream, &["StandardInput", "StandardOutput", "StandardError"]),
    service(value::log_level, &["LogLevelMax", "SyslogLevel"]),
    service(value::byte_strings, &["LogExtraFields"]),
    service(resource::bytes, &["MemoryMin", "MemoryLow", "MemoryHigh", "MemoryMax", "MemorySwapMax", "MemoryZSwapMax", "TasksMax",
        "DefaultMemoryLow", "DefaultMemoryMin"]),
    service(resource::weight, &["CPUWeight", "StartupCPUWeight", "IOWeight", "StartupIOWeight"]),
    service(resource::cpu_quota, &["CPUQuota"]),
    service(value::seconds, &["CPUQuotaPeriodSec"]),
    service(resource::cpu_set, &["CPUAffinity", "AllowedCPUs", "StartupAllowedCPUs", "AllowedMemoryNodes",
        "StartupAllowedMemoryNodes", "NUMAMask"]),
    service(resource::delegate, &["Delegate"]),
    service(resource::limit, &["LimitCPU", "LimitFSIZE", "LimitDATA", "LimitSTACK", "LimitCORE", "LimitRSS", "LimitNOFILE",
        "LimitAS", "LimitNPROC", "LimitMEMLOCK", "LimitLOCKS", "LimitSIGPENDING", "LimitMSGQUEUE", "LimitNICE",
        "LimitRTPRIO", "LimitRTTIME"]),
    service(resource::device, &["DeviceAllow"]),
    service(resource::device_number, &["IOReadBandwidthMax", "IOWriteBandwidthMax", "IOReadIOPSMax", "IOWriteIOPSMax",
        "IODeviceWeight"]),
    service(network::addresses, &["IPAddressAllow", "IPAddressDeny"]),
    service(value::bind_paths, &["BindPaths", "BindReadOnlyPaths"]),
    service(value::pairs, &["TemporaryFileSystem", "LoadCredential", "LoadCredentialEncrypted"]),
];

/// Settings that hold commands become properties by their words, and not by their text.
const COMMANDS: [&str; 7] =
    ["ExecCondition", "ExecStartPre", "ExecStart", "ExecStartPost", "ExecReload", "ExecStop", "ExecStopPost"];

/// Has systemd a notion of this section?
pub fn is_systemds(section: &str) -> bool {
    matches!(section, "Unit" | "Service")
}

/// The section that a setting stands in.
pub fn section_of(name: &str) -> Option<&'static str> {
    if COMMANDS.contains(&name) {
        return Some("Service");
    }
    group(name).map(|group| group.section)
}

/// The setting whose name is most like this one.
pub fn nearest(name: &str) -> Option<&'static str> {
    let all = GROUPS.iter().flat_map(|group| group.names).chain(&COMMANDS).copied();
    crate::unit::similar::similar(name, all)
}

fn group(name: &str) -> Option<&'static Group> {
    GROUPS.iter().find(|group| group.names.contains(&name))
}

/// The properties that a line comes to, in a unit that becomes another user or does not.
pub fn translate(line: &Assignment, has_user: bool) -> Result<Vec<Property>, String> {
    if COMMANDS.contains(&line.key.as_str()) {
        return command::commands(line, has_user);
    }
    let group = group(&line.key).ok_or("is no setting that is known here")?;
    (group.translate)(&line.key, &plain(&line.value))
}
